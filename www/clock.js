// How long one call takes, by a clock that browsers make coarse: many calls at once, and the
// quickest batch, since whatever else a machine does only makes one longer.

const SHORTEST_BATCH_MS = 2;
const TICKS_A_BATCH = 20;
const BATCHES = 7;

/** Microseconds of one call, the quickest of some batches. */
export async function quickest(run) {
  const calls = callsFor(run, shortestBatch());
  let best = Number.POSITIVE_INFINITY;
  for (let batch = 0; batch < BATCHES; batch += 1) {
    best = Math.min(best, (timed(run, calls) * 1000) / calls);
    await breath();
  }
  return best;
}

/** How long a batch has to be, in milliseconds, for the clock to tell. */
export const shortestBatch = () => Math.max(SHORTEST_BATCH_MS, TICKS_A_BATCH * clockStep());

/** How many calls take that long, three times running: once may be something else's time. */
export function callsFor(run, shortest) {
  let calls = 1;
  const takesLong = () => [1, 2, 3].every(() => timed(run, calls) >= shortest);
  while (calls < 1_000_000 && !takesLong()) calls *= 2;
  return calls;
}

/** Milliseconds of so many calls. */
export function timed(run, calls) {
  const started = performance.now();
  for (let call = 0; call < calls; call += 1) run();
  return performance.now() - started;
}

/** The clock's step, in milliseconds: browsers make it coarse. */
function clockStep() {
  const started = performance.now();
  let now = started;
  while (now === started) now = performance.now();
  return now - started;
}

export const breath = () => new Promise((resolve) => setTimeout(resolve));
