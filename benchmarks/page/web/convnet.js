// ConvNetJS: an example at a time through its Trainer, which updates after each `batch_size` of them.

importScripts("contestant.js");
self.window = self; // where the library puts itself
importScripts("../peers/convnetjs/build/convnet.js");
const convnet = self.jsfeat;

function network({ weights }) {
  const sizes = [weights.w0.length, ...Object.keys(weights).filter((name) => name[0] === "b").map((b) => weights[b].length)];
  const hidden = sizes.slice(1, -1).map((n) => ({ type: "fc", num_neurons: n, activation: "tanh" }));
  const input = { type: "input", out_sx: 1, out_sy: 1, out_depth: sizes[0] };
  const net = new convnet.Net();
  net.makeLayers([input, ...hidden, { type: "regression", num_neurons: sizes.at(-1) }]);
  net.layers.filter((layer) => layer.layer_type === "fc").forEach((layer, i) => {
    layer.filters.forEach((unit, j) => weights[`w${i}`].forEach((row, k) => (unit.w[k] = row[j])));
    weights[`b${i}`].forEach((bias, j) => (layer.biases.w[j] = bias));
  });
  return net;
}

function trainer(net, { learningRate, batchSize }) {
  // Its regression layer has the gradient of ½(y - t)², ours of (y - t)²: hence twice the rate.
  return new convnet.Trainer(net, { method: "sgd", momentum: 0, learning_rate: 2 * learningRate, batch_size: batchSize });
}

/** A function that trains on the next batch and returns its loss. */
function lessons(net, settings) {
  const teacher = trainer(net, settings);
  const inputs = settings.inputs.map((batch) => batch.map((point) => new convnet.Vol(point)));
  let next = 0;
  return () => {
    const i = next++ % inputs.length;
    let loss = 0;
    inputs[i].forEach((x, j) => (loss += teacher.train(x, settings.targets[i][j]).cost_loss));
    return loss / 2 / inputs[i].length; // it reports 2(y - t)²
  };
}

function loops(step) {
  return {
    losses: (n) => Array.from({ length: n }, step),
    train(n) {
      for (let i = 0; i < n; i++) step();
    },
  };
}

/** The Playground's frame: an epoch, then what every unit answers at every point of a grid over the plane. */
function frames(settings) {
  const net = network(settings);
  const learn = lessons(net, settings);
  const units = net.layers.filter((layer) => layer.layer_type === "tanh" || layer.layer_type === "regression");
  const maps = units.flatMap((layer) => Array.from({ length: layer.out_depth }, () => new Float32Array(settings.grid.length)));
  const point = new convnet.Vol(1, 1, 2);
  const draw = () => {
    settings.grid.forEach(([x, y], i) => {
      point.w[0] = x;
      point.w[1] = y;
      net.forward(point);
      let unit = 0;
      for (const layer of units) for (const answer of layer.out_act.w) maps[unit++][i] = answer;
    });
  };
  const frame = () => {
    let loss = 0;
    for (let i = 0; i < settings.inputs.length; i++) loss += learn();
    draw();
    return loss / settings.inputs.length;
  };
  const squares = () => maps.map((map) => map.reduce((sum, answer) => sum + answer ** 2, 0) / map.length);
  return { ...loops(frame), squares };
}

serve((settings) => (settings.frames ? frames(settings) : loops(lessons(network(settings), settings))));
