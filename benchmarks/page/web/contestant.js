// What all workers share. `serve(build)` answers the page's requests:
//   build(settings) → { losses(n), train(n) }    losses of the next n training steps; n steps of training
//   squares()       → the mean square of each map that the last step drew, for those that draw
//   time(n)         → milliseconds that train(n) took, by this worker's clock (it ticks every 0.1 ms: use many steps)

self.serve = (build) => {
  let runner;
  const verbs = {
    async build(settings) {
      runner = await build(settings);
    },
    losses: (steps) => runner.losses(steps),
    squares: () => runner.squares(),
    async time(steps) {
      const start = performance.now();
      await runner.train(steps);
      return performance.now() - start;
    },
  };
  self.onmessage = async ({ data: { id, verb, argument } }) => {
    try {
      self.postMessage({ id, value: await verbs[verb](argument) });
    } catch (error) {
      self.postMessage({ id, error: `${error.name}: ${error.message}` });
    }
  };
};
