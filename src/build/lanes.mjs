// Runs stages beside each other: lanes side by side, and in a lane one stage after the other.
// Node's own modules only.

/**
 * Runs every stage that it can. A stage has a `name`, a `lane`, and in `after` the names of the
 * stages that it stands on; where one of these failed, it is not reached. A `quiet` stage runs
 * beside one `busy` lane at most. `perform(stage)` gives what went wrong, or nothing. The result
 * is a map of `{ error, seconds, from }` by name; a stage that was not reached has no entry.
 */
export async function runInLanes(stages, perform) {
  const results = new Map();
  const running = new Map();
  const began = Date.now();
  const seconds = (since) => (Date.now() - since) / 1000;
  const waiting = new Set(stages);
  const isFree = (stage) => {
    const beside = [...running.keys()];
    const busy = beside.filter((other) => other.busy).length;
    if (beside.some((other) => other.lane === stage.lane)) return false;
    if (stage.quiet) return busy <= 1;
    return !stage.busy || busy === 0 || !beside.some((other) => other.quiet);
  };
  // What was not chosen stands in nobody's way.
  const needs = ({ after = [] }) => after.filter((name) => stages.some((stage) => stage.name === name));
  const isReady = (stage) =>
    isFree(stage) && needs(stage).every((name) => results.has(name) && !results.get(name).error);

  const start = async (stage) => {
    const started = Date.now();
    const from = seconds(began);
    const error = await perform(stage).catch((thrown) => thrown);
    results.set(stage.name, { error, seconds: seconds(started), from });
    running.delete(stage);
  };
  for (;;) {
    for (const stage of waiting) {
      if (!isReady(stage)) continue;
      waiting.delete(stage);
      running.set(stage, start(stage));
    }
    // Nothing that is left will ever be ready.
    if (running.size === 0) return results;
    await Promise.race(running.values());
  }
}
