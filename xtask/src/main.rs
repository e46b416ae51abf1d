//! The project's own commands. `cargo xtask help` lists them.
//!
//! Everything here is the standard library: building it must never be what a newcomer waits for.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool speaks on its streams")]

mod bench;
mod counts;
mod fuzz;
mod instructions;
mod interop;
mod lint;
mod mutants;
mod run;
mod simulate;
mod test;

use std::process::ExitCode;

use run::{Report, Workspace};

/// One subcommand. The tidy test reads this table to check what the documentation says.
struct Command {
    name: &'static str,
    about: &'static str,
    run: fn(&Workspace) -> Report,
}

const COMMANDS: &[Command] = &[
    Command {
        name: "test",
        about: "run every test, those with OpenSSL, Python and Node included",
        run: test::test,
    },
    Command { name: "lint", about: "check format, clippy per feature set, and rustdoc", run: lint::lint },
    Command { name: "ci", about: "lint, test, then instructions", run: ci },
    Command {
        name: "instructions",
        about: "count the instructions of the hot reads under valgrind: [--bless]",
        run: instructions::all,
    },
    Command {
        name: "bench",
        about: "measure side by side with the Python packages: [--rows a,b] [--quick]",
        run: bench::all,
    },
    Command {
        name: "fuzz",
        about: "fuzz for a while: [--minutes M] [target…]; findings go to fuzz/regressions",
        run: fuzz::all,
    },
    Command {
        name: "simulate",
        about: "simulate outages: [--seeds N] [--from SEED] [--minutes T] [--operations K]",
        run: simulate::all,
    },
    Command {
        name: "mutants",
        about: "break the mirror on purpose, and see the simulation notice: [name…]",
        run: mutants::all,
    },
    Command { name: "help", about: "print this list", run: help },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let workspace = match Workspace::find() {
        Ok(workspace) => workspace,
        Err(reason) => return misuse(&reason),
    };
    match arguments.as_slice() {
        [] => misuse("which command?"),
        [flag] if flag == "-h" || flag == "--help" => finish("help", &help(&workspace)),
        [name, arguments @ ..] if name == "fuzz" => match fuzz::Plan::parse(arguments) {
            Ok(plan) => finish(name, &fuzz::run(&workspace, plan)),
            Err(reason) => misuse(&reason),
        },
        [name, arguments @ ..] if name == "simulate" => match simulate::parse(arguments) {
            Ok(plan) => finish(name, &simulate::run(&workspace, plan)),
            Err(reason) => misuse(&reason),
        },
        [name, arguments @ ..] if name == "bench" => match bench::Plan::parse(arguments) {
            Ok(plan) => finish(name, &bench::run(&workspace, &plan)),
            Err(reason) => misuse(&reason),
        },
        [name, arguments @ ..] if name == "instructions" => match instructions::parse(arguments) {
            Ok(bless) => finish(name, &instructions::run(&workspace, bless)),
            Err(reason) => misuse(&reason),
        },
        [name, arguments @ ..] if name == "mutants" => finish(name, &mutants::run(&workspace, arguments)),
        [name] => match COMMANDS.iter().find(|command| command.name == name) {
            Some(command) => finish(command.name, &(command.run)(&workspace)),
            None => misuse(&format!("unknown command {name:?}")),
        },
        [name, ..] => misuse(&format!("{name} takes no arguments")),
    }
}

fn ci(workspace: &Workspace) -> Report {
    let mut report = lint::lint(workspace);
    report.append(test::test(workspace));
    report.append(instructions::all(workspace));
    report
}

fn help(_: &Workspace) -> Report {
    println!("{}", usage());
    Report::default()
}

fn finish(name: &str, report: &Report) -> ExitCode {
    if !report.is_empty() {
        println!("\ncargo xtask {name}\n{report}");
    }
    if report.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

fn misuse(reason: &str) -> ExitCode {
    eprintln!("error: {reason}\n\n{}", usage());
    ExitCode::from(2)
}

fn usage() -> String {
    let commands = COMMANDS.iter().map(|Command { name, about, .. }| format!("\n  {name:<12} {about}"));
    let commands: String = commands.collect();
    format!(
        "Usage: cargo xtask <command>\n\nCommands:{commands}\n\nWith CI=true a missing tool is a failure, not a skip."
    )
}
