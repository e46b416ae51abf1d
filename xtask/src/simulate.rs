//! `cargo xtask simulate`: runs the simulation of the mirrored provider over many seeds, optimised.

use crate::run::{Report, Workspace};

/// What is run: options, and the variables by which the simulation hears of them.
const OPTIONS: &[(&str, &str)] = &[
    ("--seeds", "SIMULATION_SEEDS"),
    ("--from", "SIMULATION_FROM"),
    ("--minutes", "SIMULATION_MINUTES"),
    ("--operations", "SIMULATION_OPERATIONS"),
];

/// The variables that are to be set.
pub(crate) type Plan = Vec<(&'static str, String)>;

/// From `[--seeds N] [--from SEED] [--minutes T] [--operations K]`.
pub(crate) fn parse(arguments: &[String]) -> Result<Plan, String> {
    let mut plan = usual();
    for pair in arguments.chunks(2) {
        let [option, value] = pair else {
            return Err(format!("{} takes a number", pair.concat()));
        };
        let known = OPTIONS.iter().find(|(name, _)| name == option);
        let (_, variable) = known.ok_or_else(|| {
            format!("unknown option {option}; simulate takes --seeds, --from, --minutes and --operations")
        })?;
        value.parse::<u64>().map_err(|_| format!("{option} takes a number, not {value:?}"))?;
        // For so long means for as many as there is time for.
        plan.retain(|(set, _)| set != variable && (option != "--minutes" || *set != "SIMULATION_SEEDS"));
        plan.push((variable, value.clone()));
    }
    Ok(plan)
}

fn usual() -> Plan {
    vec![("SIMULATION_SEEDS", "2200".to_owned()), ("SIMULATION_OPERATIONS", "1000".to_owned())]
}

/// The usual number of seeds.
pub(crate) fn all(workspace: &Workspace) -> Report {
    run(workspace, usual())
}

pub(crate) fn run(workspace: &Workspace, plan: Plan) -> Report {
    let mut report = Report::default();
    let mut simulation = workspace.cargo(&[
        "test",
        "--profile",
        "simulation",
        "-p",
        "swarmauri-keyproviders-tests",
        "--test",
        "simulation",
        "--",
        "--nocapture",
    ]);
    report.run("simulation", simulation.envs(plan));
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str]) -> Result<Plan, String> {
        parse(&arguments.iter().map(|argument| (*argument).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn options_become_variables() {
        let plan = parsed(&["--from", "7", "--seeds", "1"]).unwrap();
        assert!(plan.contains(&("SIMULATION_FROM", "7".to_owned())));
        assert!(plan.contains(&("SIMULATION_SEEDS", "1".to_owned())));
        assert_eq!(plan.len(), 3);
        let plan = parsed(&["--minutes", "5"]).unwrap();
        assert!(!plan.iter().any(|(variable, _)| *variable == "SIMULATION_SEEDS"));
    }

    #[test]
    fn wrong_options_are_named() {
        assert!(parsed(&["--seed", "1"]).unwrap_err().contains("--seed"));
        assert!(parsed(&["--seeds"]).unwrap_err().contains("takes a number"));
        assert!(parsed(&["--seeds", "many"]).unwrap_err().contains("many"));
    }
}
