//! The real state machine of sessions, model-checked: every interleaving within bounds, of tabs, a
//! thief, messages that are lost, doubled and reordered, processes that die, a store that fails,
//! lags and falls back, clocks that are put on and back, and revocations.
//!
//! What it takes for granted: swaps compare, and cutoffs are read from where swaps go (a model
//! without either is found out); a store that falls back fails what is under way; the honest send
//! what is stored, and their messages arrive within D, races included, or never. `mutants.mjs`
//! breaks each rule of the machine and shows who finds it. `ROTATION_MODEL_DEEPER=1` (2, …)
//! explores longer runs.

mod issuer;
mod judge;
mod log;
mod log_rules;
mod model;
mod world;

use std::{collections::BTreeMap, env, thread, time::Instant};

use portcullis::internals::sessions::configuration::Settings;
use stateright::{Checker, HasDiscoveries, Model};

use crate::{
    issuer::{Issuer, Kind},
    log::LogModel,
    model::Bounds,
    world::{Act, Budget, Seconds},
};

/// Wr, D and R of all models; Wc is the least that is allowed, Wr + 2·D. Idle and absolute are out
/// of reach unless a model says otherwise.
fn settings() -> Settings {
    Settings { replay_window_seconds: 1, worst_delay_seconds: 1, late_replays: 1, ..Settings::default() }
}

fn deeper() -> u8 {
    env::var("ROTATION_MODEL_DEEPER").map_or(0, |text| text.parse().expect("ROTATION_MODEL_DEEPER is a small number"))
}

fn bounds(name: &'static str, settings: Settings) -> Bounds {
    Bounds {
        name,
        issuer: Issuer::new(settings, Kind::Public),
        tabs: 2,
        // Past Wr, past Wc, and so on: what lies between is alike but for the honest, whose
        // messages have D.
        seconds: 4,
        tick: 2,
        generations: 4,
        honest: false,
        replica: false,
        budget: Budget::default(),
        compares: true,
        stale_cutoffs: false,
        survives: false,
    }
}

/// Every state of a model, and the shortest way to each property that fails.
fn explore(bounds: Bounds) -> (usize, BTreeMap<&'static str, Vec<Act>>) {
    let (name, started) = (bounds.name, Instant::now());
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let checker = bounds.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
    let states = checker.unique_state_count();
    println!("{name}: {states} states, depth {}, {:.1} s", checker.max_depth(), started.elapsed().as_secs_f64());
    let found = checker.discoveries().into_iter().map(|(property, path)| (property, path.into_actions())).collect();
    (states, found)
}

fn models() -> Vec<Bounds> {
    let usual = |name| bounds(name, settings());
    let thief = Budget { thefts: 1, ..Budget::default() };
    let short = Settings { idle_seconds: 4, absolute_seconds: 6, access_token_seconds: 3, ..settings() };
    vec![
        // Tabs whose messages take at most D; all that may cost them their session is the budget.
        Bounds { honest: true, seconds: 12, tick: 1, ..usual("honest") },
        // Messages take any time and come in any order.
        Bounds { tabs: 1, seconds: 8, budget: thief, ..usual("thief") },
        Bounds { budget: thief, ..usual("thief and two tabs") },
        Bounds {
            tabs: 1,
            seconds: 2,
            budget: Budget { forgeries: 1, errors: 1, duplicates: 1, ..thief },
            ..usual("errors")
        },
        Bounds {
            seconds: 2,
            replica: true,
            budget: Budget { revocations: 1, ..Budget::default() },
            ..usual("replica")
        },
        Bounds { tabs: 1, seconds: 2, replica: true, budget: Budget { sign_outs: 1, ..thief }, ..usual("sign-out") },
        Bounds { seconds: 2, budget: Budget { cutoffs: 2, errors: 1, ..Budget::default() }, ..usual("cutoffs") },
        Bounds { tabs: 1, seconds: 2, budget: Budget { clock_steps: 2, ..thief }, ..usual("clock") },
        Bounds { tabs: 1, seconds: 4, budget: Budget { rollbacks: 1, ..thief }, ..usual("rollback") },
        Bounds { tabs: 1, seconds: 8, budget: thief, ..bounds("ends", short) },
        Bounds {
            issuer: Issuer::new(settings(), Kind::Confidential),
            tabs: 1,
            budget: Budget { sign_outs: 1, clock_steps: 1, ..thief },
            ..usual("confidential")
        },
        Bounds {
            issuer: Issuer::new(settings(), Kind::Bound),
            budget: Budget { errors: 1, ..thief },
            ..usual("bound")
        },
        // The honest again, a message of theirs arriving twice.
        Bounds {
            honest: true,
            seconds: 8,
            tick: 1,
            budget: Budget { duplicates: 1, ..Budget::default() },
            ..usual("doubled")
        },
    ]
}

#[test]
fn no_interleaving_breaks_an_invariant() {
    let mut total = 0;
    for mut bounds in models() {
        let name = bounds.name;
        bounds.seconds += bounds.tick * Seconds::from(deeper());
        bounds.generations += deeper();
        let (states, found) = explore(bounds);
        assert!(found.is_empty(), "{name}: {found:#?}");
        total += states;
    }
    println!("{total} states in all");
    assert!(total >= 1_000_000, "{total} states are too few to say much");
}

/// What becomes of the log of revocations.
fn logs() -> Vec<LogModel> {
    let usual = log::Budget { ends: 2, pulls: 1, ..log::Budget::default() };
    vec![
        LogModel::new("log: two at once", log::Budget { pulls: 2, ..usual }, 0),
        LogModel::new("log: errors", log::Budget { errors: 1, tends: 1, pulls: 0, ..usual }, 0),
        LogModel::new("log: deaths", log::Budget { deaths: 1, tends: 1, pulls: 0, ..usual }, 0),
        LogModel::new("log: two sweepers", log::Budget { ends: 1, deaths: 1, tends: 2, pulls: 0, ..usual }, 0),
        LogModel::new("log: late readers", log::Budget { stale: 1, ..usual }, 0),
        LogModel::new("log: segments", log::Budget { ends: 1, errors: 1, tends: 1, ..usual }, log::FULL),
        // The end by a right clock is in the tail that becomes a segment by another's.
        LogModel::new("log: ahead", log::Budget { ends: 1, ahead: 1, ..usual }, log::FULL - 1),
        LogModel::new("log: restore", log::Budget { ends: 1, pulls: 3, restores: 1, ..usual }, 0),
        LogModel::new("log: fork", log::Budget { ends: 2, pulls: 3, restores: 1, alone: true, ..usual }, 0),
    ]
}

#[test]
fn no_interleaving_breaks_an_invariant_of_the_log() {
    let mut total = 0;
    for model in logs() {
        let (name, started) = (model.name, Instant::now());
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let checker = model.checker().threads(threads).finish_when(HasDiscoveries::AnyFailures).spawn_bfs().join();
        let states = checker.unique_state_count();
        println!("{name}: {states} states, depth {}, {:.1} s", checker.max_depth(), started.elapsed().as_secs_f64());
        let found: BTreeMap<&str, Vec<log::Act>> =
            checker.discoveries().into_iter().map(|(property, path)| (property, path.into_actions())).collect();
        assert!(found.is_empty(), "{name}: {found:#?}");
        total += states;
    }
    println!("{total} states of the log in all");
    assert!(total >= 10_000, "{total} states are too few to say much");
}

/// A model that would not notice proves nothing.
#[test]
fn a_store_that_does_not_do_its_part_is_found_out() {
    let revoked = Budget { revocations: 1, ..Budget::default() };
    let cut_off = Budget { cutoffs: 1, ..Budget::default() };
    let fallen_back = Budget { rollbacks: 1, ..revoked };
    let usual = |budget| Bounds { tabs: 1, replica: true, budget, ..bounds("control", settings()) };
    for control in [
        Bounds { compares: false, ..usual(revoked) },
        Bounds { stale_cutoffs: true, ..usual(cut_off) },
        Bounds { survives: true, replica: false, ..usual(fallen_back) },
    ] {
        let found = explore(control).1;
        assert!(found.contains_key("P4: nothing after a revocation"), "{found:#?}");
    }
}
