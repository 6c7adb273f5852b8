// The contract in another runtime than the test's: prints what came of each case. With `count`,
// adds to a key of a file so many times.
//   RUNTIME tests/stores/elsewhere.mjs (contract ENGINE FOLDER | count DRIVER FILE KEY TIMES)
import { cases, countTo } from './contract.mjs';
import { filePlace, openSqlite } from './engines/file.mjs';

const [task, name, path, key, times] = process.argv.slice(2);
if (task === 'count') {
  const { store, close } = await openSqlite(name, path);
  await countTo(store, key, Number(times));
  await close();
} else {
  const place = filePlace(name, path);
  const results = [];
  for (const { name, run } of cases) {
    try {
      results.push({ name, note: await run(place) });
    } catch (error) {
      results.push({ name, error: String(error?.stack ?? error) });
    }
  }
  await place.stop();
  console.log(JSON.stringify(results));
}
