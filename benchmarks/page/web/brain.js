// brain.js: its own loop over the data, an update after every example; it has no batches, and its output has the
// activation of the hidden units.

importScripts("contestant.js");
self.window = self;
importScripts("../peers/brain.js/dist/browser.js");

function network({ weights }) {
  const net = new brain.NeuralNetwork({ activation: "tanh" });
  const biases = Object.keys(weights).filter((name) => name[0] === "b").map((name) => weights[name]);
  net.sizes = [weights.w0.length, ...biases.map((b) => b.length)];
  net.initialize();
  biases.forEach((bias, i) => {
    bias.forEach((b, j) => {
      net.biases[i + 1][j] = b;
      weights[`w${i}`].forEach((row, k) => (net.weights[i + 1][j][k] = row[j]));
    });
  });
  return net;
}

serve((settings) => {
  const net = network(settings);
  const data = settings.inputs.flatMap((batch, i) => batch.map((input, j) => ({ input, output: settings.targets[i][j] })));
  const train = (epochs) =>
    net.train(data, { iterations: epochs, learningRate: settings.learningRate, momentum: 1e-12, errorThresh: 1e-9 });
  const loss = () => data.reduce((sum, { input, output }) => sum + (net.run(input)[0] - output[0]) ** 2, 0) / data.length;
  return {
    train,
    losses(n) {
      return Array.from({ length: n }, () => {
        train(1);
        return loss();
      });
    },
  };
});
