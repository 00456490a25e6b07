//! How many calls a second come through, by how many editors at once.

use std::time::{Duration, Instant};

use aic_tests::harness::{Builder, Programs};
use serde_json::json;

use super::client::{self, Bare, Streams};
use super::measure::Sample;
use super::report::Row;

const EDITORS: [usize; 3] = [1, 8, 64];
const ROUNDS: usize = 7;
const WINDOW: Duration = Duration::from_millis(600);

/// All of it.
pub fn rows(programs: &Programs) -> Vec<Row> {
    let world = Builder::new(programs.clone()).build();
    let wanted = client::person(&world, "rates", &json!({}));
    let row = |editors: usize| {
        let mut shims: Vec<_> = (0..editors).map(|_| client::editor(&world, Streams::Sockets)).collect();
        client::warm_up(&mut shims, &wanted);
        let first = Bare::new(&world, &wanted);
        let mut bare: Vec<Bare> = (1..editors).map(|_| first.another()).chain([first.another()]).collect();
        for one in &bare {
            one.get();
        }
        let rounds = (0..ROUNDS).map(|_| {
            world.tenant().clear_ledger();
            let floor = rate(&mut bare, |bare| bare.get());
            (floor, rate(&mut shims, |shim| shim.call("getManagedObject", &wanted)))
        });
        let (floors, ours): (Vec<_>, Vec<_>) = rounds.unzip();
        let (floor, ours) = (Sample::of_numbers(floors), Sample::of_numbers(ours));
        let share = ours.median() / floor.median();
        let row =
            Row::new(format!("calls a second, editors at once: {editors}"), floor.spread("/s"), ours.spread("/s"))
                .result(format!("{:.0} %", share * 100.0));
        if editors == 8 { row.target("≥ 60 % of bare clients", 0.6 / share) } else { row }
    };
    EDITORS.map(row).into()
}

/// What all of them do together in a second, each in a thread of its own.
fn rate<T: Send>(all: &mut [T], work: impl Fn(&mut T) -> Duration + Sync) -> f64 {
    let (began, work) = (Instant::now(), &work);
    let done: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = all
            .iter_mut()
            .map(|one| {
                scope.spawn(move || {
                    let mut done = 0;
                    while began.elapsed() < WINDOW {
                        work(one);
                        done += 1;
                    }
                    done
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    done as f64 / began.elapsed().as_secs_f64()
}
