//! Every subcommand leaves with the code of the contract's section 7, whatever state it meets.

use aic_tests::harness::World;
use aic_tests::tenant::switches::Authorize;

use crate::{builder, world};

/// Each subcommand as it is usually typed, with its codes: without a broker, with one and a session, with a configuration
/// that cannot be used. Without a broker, `serve` would stay.
const TABLE: [(&[&str], i32, i32, i32); 15] = [
    (&["status"], 3, 0, 2),
    (&["status", "--json"], 3, 0, 2),
    (&["login"], 0, 0, 2),
    (&["token", "--tenant", "t0", "--scope", "fr:idm:*"], 3, 0, 2),
    (&["pause"], 3, 0, 2),
    (&["resume"], 3, 0, 2),
    (&["audit"], 0, 0, 2),
    (&["audit", "verify"], 0, 0, 2),
    (&["logout", "--tenant", "t0"], 3, 0, 2),
    (&["logout", "--all"], 3, 0, 2),
    (&["doctor"], 0, 0, 1),
    (&["completions", "bash"], 0, 0, 0),
    (&["man"], 0, 0, 0),
    (&["serve"], -1, 1, 2),
    (&["stop"], 3, 0, 2),
];

/// The subcommands that `--help` shows.
fn shown(world: &World) -> Vec<String> {
    let help = world.run(&["--help"]).left_with(0).out;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    listed.filter_map(|line| line.split_whitespace().next().map(str::to_owned)).collect()
}

#[test]
fn every_subcommand_leaves_with_the_code_of_its_state() {
    for (command, without, _, unusable) in TABLE {
        let world = world();
        if without >= 0 {
            world.run(command).left_with(without);
        }
        world.write_configuration("surprise = 1");
        world.run(command).left_with(unusable);
    }
    let world = world();
    world.run(&["login"]).left_with(0);
    let broker = world.broker();
    for (command, _, with, _) in TABLE {
        world.run(command).left_with(with);
    }
    assert!(!broker.lives());
}

#[test]
fn every_subcommand_is_in_the_table_and_teaches() {
    let world = world();
    let elsewhere = ["help", "install", "uninstall"];

    for command in shown(&world) {
        let known = TABLE.iter().any(|row| row.0[0] == command) || elsewhere.contains(&command.as_str());
        assert!(known, "{command} has no row");
        if command != "help" {
            let help = world.run(&[&command, "--help"]).left_with(0).out;
            assert!(help.contains("Examples:") && help.contains("Exit codes: 0 done"), "{help}");
            world.run(&[&command, "--no-such-option"]).left_with(2);
        }
    }
}

#[test]
fn what_needs_a_person_leaves_with_4() {
    let world = builder().switches(|switches| switches.authorize = Authorize::Deny).build();

    world.run(&["login"]).left_with(4);

    world.run(&["token", "--tenant", "t0", "--scope", "fr:idm:*"]).left_with(4);
}
