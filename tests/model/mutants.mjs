// Breaks the rules of the session state machine one at a time, in a copy of the crate, and asks
// who notices: the model, or else the tests of a row. Not a stage of `npm test`: every mutant is
// compiled. mutants.md keeps what was found.
//   node tests/model/mutants.mjs [WORD IN THE NAME]…
//   node tests/model/mutants.mjs --check    builds nothing: is what each would replace still there, once?
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');
const COPY = join(ROOT, 'target', 'mutants', 'crate');

// What the mutant does; in which file of src/issuer; what is replaced, once; by what.
const MUTANTS = [
  // the rows of the table
  [
    'answers a revoked session',
    'session',
    'Status::Revoked => Err(GrantError::SessionRevoked)',
    'Status::Revoked => Ok(())',
  ],
  [
    'answers a session that has ended',
    'session',
    'Status::Active if row.ends_at <= now =>',
    'Status::Active if false =>',
  ],
  [
    'takes a token ahead of the store for the current one',
    'session',
    'row.generation.checked_sub(request.token.generation())',
    'Some(row.generation.saturating_sub(request.token.generation()))',
  ],
  [
    'raises no alarm for it',
    'session',
    'event: happened(EventKind::StoreBehind, row), ..',
    'event: None, ..',
  ],
  ['rotates at every use', 'session', '(row.generation == 0 || age > rotation_interval)', 'true'],
  [
    'never rotates after the first time',
    'session',
    '(row.generation == 0 || age > rotation_interval)',
    '(row.generation == 0)',
  ],
  [
    'does not rotate the first token at once',
    'session',
    '(row.generation == 0 || age > rotation_interval)',
    '(age > rotation_interval)',
  ],
  [
    'rotates at Wc',
    'session',
    '(row.generation == 0 || age > rotation_interval)',
    '(row.generation == 0 || age >= rotation_interval)',
  ],
  ['skips a generation', 'session', 'row.generation.checked_add(1)', 'row.generation.checked_add(2)'],
  ['sets no mark for a replay', 'session', 'Row { mark: true, ..row.clone() })', 'row.clone())'],
  [
    'restarts the windows at a replay',
    'session',
    'Row { mark: true, ..row.clone() })',
    'Row { mark: true, ..used(row, now, rules) })',
  ],
  [
    'takes a replay within the window for a late one',
    'session',
    '1 if age <= replay_window =>',
    '1 if age < replay_window =>',
  ],
  [
    'takes a late replay for one within the window',
    'session',
    '1 if age <= replay_window =>',
    '1 if true =>',
  ],
  [
    'forgives one late replay more',
    'session',
    '1 if row.streak < late_replays =>',
    '1 if row.streak <= late_replays =>',
  ],
  ['forgives no late replay', 'session', '1 if row.streak < late_replays =>', '1 if false =>'],
  ['does not count late replays', 'session', 'streak: row.streak.saturating_add(1)', 'streak: row.streak'],
  ['sets no mark for a late replay', 'session', 'Row { mark: true, streak: row', 'Row { streak: row'],
  [
    'does not restart the windows at a late replay',
    'session',
    'streak: row.streak.saturating_add(1), ..used(row, now, rules) }',
    'streak: row.streak.saturating_add(1), ..row.clone() }',
  ],
  [
    'keeps the streak over a clean generation',
    'session',
    'if row.mark { row.streak } else { 0 }',
    'row.streak',
  ],
  ['clears the streak at every rotation', 'session', 'if row.mark { row.streak } else { 0 }', '0'],
  [
    'keeps the mark at a rotation',
    'session',
    'Some(Row { generation, streak, mark: false, ..',
    'Some(Row { generation, streak, ..',
  ],
  [
    'refuses reuse and does not revoke',
    'session',
    'let revoked = Row { status: Status::Revoked, ..row.clone() };\n            let event',
    'let revoked = row.clone();\n            let event',
  ],
  [
    'refuses reuse and writes nothing',
    'session',
    'GrantError::ReuseDetected),\n                write: Some(revoked)',
    'GrantError::ReuseDetected),\n                write: None',
  ],
  [
    'answers two behind as one behind',
    'session',
    '1 if age <= replay_window =>',
    '1 | 2 if age <= replay_window =>',
  ],
  [
    'gives no token to a replay',
    'session',
    'if kind.is_some() || outdated',
    'if kind == Some(EventKind::Rotated) || outdated',
  ],
  ['gives the token before', 'session', 'current_token(&next, now, rules)', 'current_token(row, now, rules)'],
  [
    'counts a clock that was put back as age',
    'session',
    'now.get().saturating_sub(row.rotated_at.get())',
    'now.get().abs_diff(row.rotated_at.get())',
  ],
  // who may ask, and for what
  [
    'does not look at the tag',
    'session',
    'row.sid != request.token.sid() || !authentic',
    'row.sid != request.token.sid()',
  ],
  ['does not look at the client', 'session', 'if row.client != request.client', 'if false'],
  ['does not look at the key', 'session', 'row.jkt.is_some() && row.jkt != request.jkt', 'false'],
  ['widens a scope', 'scope', 'covered.then(', 'true.then('],
  ['lets idle time pass the absolute bound', 'session', 'idle.min(expires_at)', 'idle'],
  [
    'lets an access token outlive its session',
    'grant',
    'rules.configuration.access_token.min(left)',
    'rules.configuration.access_token',
  ],
  ['allows Wc = Wr + D', 'configuration', 'delay.saturating_mul(2)', 'delay.saturating_mul(1)'],
  [
    'revokes without writing',
    'session',
    'row.filter(|row| row.status == Status::Active)',
    'row.filter(|_| false)',
  ],
  // the way to the store
  [
    'grants an access token alone without a swap',
    'operation',
    'Outcome::Granted(grant), write.or(row)',
    'Outcome::Granted(grant), write',
  ],
  [
    'mints before it commits',
    'operation',
    '        self.asked = Asked::Commit(reported, session);\n        step\n',
    '        if session.is_some() {\n            return Step::Done { outcome: reported.0, events: reported.1 };\n        }\n        self.asked = Asked::Commit(reported, session);\n        step\n',
  ],
  [
    'believes a swap that was lost',
    'operation',
    '(Asked::Commit(..), StoreResult::Swapped(false)) => self.again(),',
    '(Asked::Commit((outcome, events), _), StoreResult::Swapped(false)) => Step::Done { outcome, events },',
  ],
  [
    'believes a swap that failed',
    'operation',
    '(Asked::Commit(..), StoreResult::Swapped(false)) => self.again(),',
    '(Asked::Commit(..), StoreResult::Swapped(false)) => self.again(),\n            (Asked::Commit((outcome, events), _), StoreResult::Unavailable) => Step::Done { outcome, events },',
  ],
  [
    'takes a read that failed for a missing session',
    'operation',
    '(Asked::Value, StoreResult::Read(found)) =>',
    '(Asked::Value, StoreResult::Unavailable) => self.decide(None, now, rules),\n            (Asked::Value, StoreResult::Read(found)) =>',
  ],
  [
    'swaps what is there now',
    'operation',
    'Some(row) => self.commit((outcome, events), version.unwrap_or(0), row)',
    'Some(row) => self.commit((outcome, events), version.unwrap_or(0).saturating_add(u64::from(self.lost)), row)',
  ],
  [
    'does not look at the cutoffs',
    'operation',
    '(Asked::Commit(reported, Some(session)), StoreResult::Swapped(true)) => self.look_since(reported, session),',
    '(Asked::Commit((outcome, events), Some(_)), StoreResult::Swapped(true)) => Step::Done { outcome, events },',
  ],
  [
    'ends a party at an instant that has passed',
    'operation',
    'StoreResult::Swapped(true)) if cutoff.instant() <= now =>',
    'StoreResult::Swapped(true)) if false =>',
  ],
  [
    'grants whatever the cutoffs say',
    'cutoff',
    'found if found > self => Standing::Revoked',
    'found if found > self => Standing::Stands',
  ],
  [
    'grants although a cutoff is gone',
    'cutoff',
    'found if found < self && now.get() < kept_until =>',
    'found if found < self && false =>',
  ],
  [
    'takes cutoffs that cannot be read for none',
    'operation',
    'Cutoff::stored(found.as_ref().map(|found| found.value.as_str())).ok();',
    'Some(Cutoff::stored(found.as_ref().map(|found| found.value.as_str())).unwrap_or(Cutoff::NONE));',
  ],
  [
    'cuts off what is issued before this second alone',
    'cutoff',
    'self.0.max(now.get()).checked_add(1)?',
    'self.0.max(now.get()).max(1)',
  ],
  [
    'lets the session live that a cutoff has ended',
    'operation',
    'let revoked = Row { status: Status::Revoked, ..row };',
    'let revoked = row;',
  ],
  // the log of revocations
  [
    'writes the register with a version that was read later',
    'endpoint/log',
    'if channel.write(append.register).await? {',
    'let found = channel.read(REGISTER).await?;\n        let expected = found.map_or(0, |entry| entry.version);\n        if channel.write(crate::issuer::feed::Write { expected, ..append.register }).await? {',
  ],
  [
    'forgets the tail when it becomes a segment',
    'feed/register',
    'next.segments.push(Segment { id, origin: next.origin.clone(), expires });',
    'let _ = id;',
  ],
  [
    'answers before the register is swapped',
    'endpoint/log',
    'if channel.write(append.register).await? {',
    'if channel.write(append.register).await.is_ok() {',
  ],
  [
    'answers although the append has failed',
    'endpoint/log',
    'Turn::Settled(false) => return Err(Unavailable),',
    'Turn::Settled(false) => return Ok(()),',
  ],
  [
    'writes no intent',
    'feed/intent',
    '    (open != before).then(||',
    '    (open != before && false).then(||',
  ],
  [
    'takes an intent out that was not carried out',
    'endpoint/intents',
    'entries.push(entry);',
    'drop(entry);',
  ],
  [
    'begins no epoch when the store has lost writes',
    'feed/log',
    '        if place.version > self.version() {\n            return true;\n',
    '        if place.version > self.version() {\n            return false;\n',
  ],
  [
    'takes a fork for the same history',
    'feed/log',
    'self.since(place.version).is_some_and(|(at, _)| at.head != place.head)',
    'false',
  ],
  [
    'begins an epoch that edges have been in',
    'feed/mod',
    'register.epoch = now.get().max(last.saturating_add(1));',
    'register.epoch = last;',
  ],
  // clocks that are wrong, and configurations that follow one another
  [
    'retires by its own clock alone',
    'feed/mod',
    'register.with(batch, register.clocks.past(hold))',
    'register.with(batch, now.get())',
  ],
  ['keeps an entry by its own clock alone', 'feed/mod', '.max(register.clocks.present())', '.max(now.get())'],
  [
    'forgets how long other tokens live',
    'feed/mod',
    'self.entry_seconds.max(known.token_seconds.saturating_add(Leeway::CAP))',
    'self.entry_seconds',
  ],
  [
    'forgets how long other sessions last',
    'endpoint/intents',
    '.of_sessions_that_last(sessions)',
    '.of_sessions_that_last(sessions.min(0))',
  ],
  [
    'sweeps by its own clock alone',
    'endpoint/fleet',
    'return Ok(past);',
    'return Ok(past.max(channel.now().get()));',
  ],
  [
    'keeps the lifetimes of its last visit',
    'endpoint/log',
    'fleet::told(issuer, fleet.as_ref())',
    'fleet::told(issuer, fleet.as_ref().filter(|_| false))',
  ],
  [
    'believes the first clock that a row hears of',
    'clocks',
    'least.map_or(0, |least|',
    'least.map_or(self.last, |least|',
  ],
  ['lets a clock that has stopped stop all sweeping', 'clocks', '.max(self.floor())', ''],
  [
    'takes a copy that lags for a loss',
    'endpoint/log',
    'if found.is_none_or(',
    'if false && found.is_none_or(',
  ],
  [
    'goes on naming what was lost',
    'endpoint/log',
    'go_on_without(issuer, channel, &log, &missing).await?;',
    'if false { go_on_without(issuer, channel, &log, &missing).await?; }',
  ],
  [
    'waits for the instant of an intent',
    'feed/intent',
    'now.get().abs_diff(self.at) >= LOST_SECONDS',
    'now.get() >= self.at.saturating_add(LOST_SECONDS)',
  ],
  [
    'believes a copy that knows no such session',
    'operation',
    'Task::Revoke(sid) if row.is_none() => {',
    'Task::Revoke(sid) if row.is_none() && sid.as_bytes().is_empty() => {',
  ],
];

function copy() {
  rmSync(COPY, { recursive: true, force: true });
  mkdirSync(COPY, { recursive: true });
  // All tests: the manifest names some of them, and cargo refuses one that is not there.
  for (const name of ['Cargo.toml', 'Cargo.lock', 'README.md', 'CHANGELOG.md', 'src', 'tests'])
    cpSync(join(ROOT, name), join(COPY, name), { recursive: true });
}

const INSIDE = {
  cwd: COPY,
  encoding: 'utf8',
  env: { ...process.env, CARGO_TARGET_DIR: join(ROOT, 'target', 'mutants'), RUST_BACKTRACE: '0' },
};
const TESTS = ['rotation_model', 'feed_log', 'issuer_endpoint', 'rotation'].flatMap((name) => [
  '--test',
  name,
]);

function cargo(...tests) {
  const { status, stdout, stderr } = spawnSync(
    'cargo',
    ['test', '--offline', '--features', 'issuer', ...tests, '--', '--test-threads=1', '--nocapture'],
    {
      ...INSIDE,
      // A mutant that makes the model endless is not found by it.
      timeout: 600_000,
      maxBuffer: 2 ** 28,
    },
  );
  return { passed: status === 0, output: stdout + stderr };
}

const isOfLog = (module) => /^(feed\/|endpoint\/|clocks$)/.test(module);

/** Who found it: the model by a property and in so many steps, or a test by its name. */
function found(module) {
  const log = isOfLog(module) ? '_of_the_log' : '';
  const model = cargo('--test', 'rotation_model', `no_interleaving_breaks_an_invariant${log}`);
  if (model.output.includes('could not compile'))
    return `did not compile: ${/^error.*/m.exec(model.output)?.[0]}`;
  if (!model.passed) {
    const [, name, property, acts] =
      /^([\w :-]+): \{\n\s+"([^"]+)": \[\n([\s\S]*?)\n\s+\],\n/m.exec(model.output) ?? [];
    if (property) return `model "${name}": ${property}, in ${acts.match(/^ {8}[A-Z]/gm).length} steps`;
    const panic = /panicked at .*\n.*/.exec(model.output)?.[0].replace('\n', ' ');
    // Whatever kept it from running has found nothing.
    return panic ? `model: ${panic}` : `did not run: ${/^error.*/m.exec(model.output)?.[0]}`;
  }
  const others = log
    ? ['--test', 'feed_log', '--test', 'issuer_endpoint']
    : ['--test', 'rotation', '--test', 'feed_log'];
  const tests = cargo('--lib', 'issuer::').output + cargo('--no-fail-fast', ...others).output;
  const names = [...tests.matchAll(/^test (\S+) \.\.\. FAILED|^ {4}([\w:]+)$/gm)].map(
    (match) => match[1] ?? match[2],
  );
  return names.length > 0 ? `tests: ${[...new Set(names)].slice(0, 2).join(', ')}` : undefined;
}

const { values, positionals: words } = parseArgs({
  allowPositionals: true,
  options: { check: { type: 'boolean', default: false } },
});
/** Where a module of src/issuer is: the names of files are unique there. */
const placeOf = (module) =>
  [module, `sessions/${module}`, `tokens/${module}`].find((path) =>
    existsSync(join(ROOT, 'src', 'issuer', `${path}.rs`)),
  );
const chosen = MUTANTS.filter(([name]) => words.length === 0 || words.some((word) => name.includes(word)));
if (values.check) {
  const drifted = chosen.filter(([, module, from]) => {
    const text = readFileSync(join(ROOT, 'src', 'issuer', `${placeOf(module)}.rs`), 'utf8');
    return text.split(from).length !== 2;
  });
  for (const [name, module, from] of drifted)
    console.log(`${name} — src/issuer/${module}.rs: ${from} is not there once`);
  console.log(`${chosen.length - drifted.length} of ${chosen.length} mutants can be made`);
  process.exit(drifted.length > 0 ? 1 : 0);
}
copy();
// Without a limit of time: of the first of all builds nothing is known yet.
spawnSync('cargo', ['test', '--offline', '--features', 'issuer', '--no-run', '--lib', ...TESTS], {
  ...INSIDE,
  stdio: 'ignore',
});
// What is found where nothing is broken finds no mutant.
for (const module of new Set(chosen.map(([, module]) => (isOfLog(module) ? 'feed/log' : 'session')))) {
  const finder = found(module);
  if (finder) throw new Error(`without a mutant: ${finder}`);
}
let survivors = 0;
for (const [name, module, from, to] of chosen) {
  const path = join(COPY, 'src', 'issuer', `${placeOf(module)}.rs`);
  const text = readFileSync(path, 'utf8');
  const result = text.split(from).length === 2 ? undefined : `${from} is not there once`;
  if (!result)
    writeFileSync(
      path,
      text.replace(from, () => to),
    );
  const finder = result ?? found(module) ?? 'SURVIVED';
  writeFileSync(path, text);
  if (!/^(model|tests)/.test(finder)) survivors += 1;
  console.log(`${name} — ${finder}`);
}
console.log(`${chosen.length - survivors} of ${chosen.length} mutants found`);
if (survivors > 0) process.exitCode = 1;
