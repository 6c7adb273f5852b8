//! The real state machine of sessions, model-checked: every interleaving within bounds, of tabs, a thief, messages that are lost, doubled
//! and reordered, processes that die, a store that fails, lags and falls back, clocks that are put on and back, and revocations.
//!
//! `ROTATION_MODEL_DEEPER=1` (2, …) explores longer runs.

mod issuer;
mod judge;
mod model;
mod world;

use std::{collections::BTreeMap, env, thread, time::Instant};

use portcullis::issuer::configuration::Settings;
use stateright::{Checker, HasDiscoveries, Model};

use crate::{
    issuer::Issuer,
    model::Bounds,
    world::{Act, Budget, Seconds},
};

/// Wr, D, Wc = Wr + 2·D and R of most models. Idle and absolute are out of reach unless a model says otherwise.
fn settings() -> Settings {
    Settings {
        replay_window_seconds: 1,
        worst_delay_seconds: 1,
        rotation_interval_seconds: Some(3),
        late_replays: 1,
        ..Settings::default()
    }
}

fn deeper() -> u8 {
    env::var("ROTATION_MODEL_DEEPER").map_or(0, |text| text.parse().expect("ROTATION_MODEL_DEEPER is a small number"))
}

fn bounds(name: &'static str, settings: Settings) -> Bounds {
    Bounds {
        name,
        issuer: Issuer::new(settings),
        tabs: 2,
        ticks: 6 + Seconds::from(deeper()),
        generations: 4 + deeper(),
        honest: false,
        replica: false,
        budget: Budget::default(),
        compares: true,
        stale_cutoffs: false,
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
    vec![
        Bounds { honest: true, ticks: 14, budget: Budget { duplicates: 1, ..Budget::default() }, ..usual("honest") },
        Bounds { budget: Budget { thefts: 1, ..Budget::default() }, ..usual("thief") },
        Bounds { budget: Budget { thefts: 1, forgeries: 1, errors: 1, ..Budget::default() }, ..usual("failing") },
        Bounds {
            replica: true,
            budget: Budget { revocations: 1, sign_outs: 1, ..Budget::default() },
            ..usual("replica")
        },
        Bounds { budget: Budget { cutoffs: 1, errors: 1, ..Budget::default() }, ..usual("cutoff") },
        Bounds { budget: Budget { thefts: 1, clock_steps: 2, ..Budget::default() }, ..usual("clock") },
        Bounds { budget: Budget { rollbacks: 1, thefts: 1, ..Budget::default() }, ..usual("rollback") },
    ]
}

#[test]
fn no_interleaving_breaks_an_invariant() {
    let mut total = 0;
    for bounds in models() {
        let name = bounds.name;
        let (states, found) = explore(bounds);
        assert!(found.is_empty(), "{name}: {found:#?}");
        total += states;
    }
    println!("{total} states in all");
    assert!(total >= 1_000_000, "{total} states are too few to say much");
}
