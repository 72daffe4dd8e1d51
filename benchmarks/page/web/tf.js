// TensorFlow.js in one thread: `backend` is cpu or wasm, `way` is minimize (the optimizer's own call, without waiting
// for the loss) or trainOnBatch (the layers API).

importScripts("contestant.js", "../peers/@tensorflow/tfjs/dist/tf.min.js");
importScripts("../peers/@tensorflow/tfjs-backend-wasm/dist/tf-backend-wasm.min.js");

function network({ weights }) {
  const model = tf.sequential();
  const layers = Object.keys(weights).length / 2;
  for (let i = 0; i < layers; i++) {
    const units = weights[`b${i}`].length;
    const activation = i < layers - 1 ? "tanh" : "linear";
    model.add(tf.layers.dense({ units, activation, inputShape: [weights[`w${i}`].length] }));
    model.layers[i].setWeights([tf.tensor2d(weights[`w${i}`]), tf.tensor1d(weights[`b${i}`])]);
  }
  return model;
}

serve(async (settings) => {
  tf.wasm.setWasmPaths(new URL("../peers/@tensorflow/tfjs-backend-wasm/dist/", self.location).href);
  if (!(await tf.setBackend(settings.backend))) throw new Error(`TensorFlow.js has no backend ${settings.backend} here`);
  await tf.ready();
  const model = network(settings);
  const optimizer = tf.train.sgd(settings.learningRate);
  model.compile({ optimizer, loss: "meanSquaredError" });
  const inputs = settings.inputs.map((batch) => tf.tensor2d(batch));
  const targets = settings.targets.map((batch) => tf.tensor2d(batch));
  let next = 0;
  const minimize = (x, y, wanted) =>
    tf.tidy(() => optimizer.minimize(() => tf.losses.meanSquaredError(y, model.apply(x, { training: true })), wanted)?.dataSync()[0]);
  const step = (wanted) => {
    const i = next++ % inputs.length;
    return settings.way === "minimize" ? minimize(inputs[i], targets[i], wanted) : model.trainOnBatch(inputs[i], targets[i]);
  };
  return {
    async losses(n) {
      const found = [];
      for (let i = 0; i < n; i++) found.push(await step(true));
      return found;
    },
    async train(n) {
      if (settings.way === "minimize") for (let i = 0; i < n; i++) step(false);
      else for (let i = 0; i < n; i++) await step(false);
    },
  };
});
