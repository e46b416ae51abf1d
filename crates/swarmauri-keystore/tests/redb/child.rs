//! Other processes: this program once more, doing one thing.

use std::env;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use swarmauri_keystore::RedbStore;

/// Says what the child is to do, and to which store.
const TASK: &str = "KEYSTORE_TEST_CHILD";

/// A child, killed when it is dropped.
pub(crate) struct Process {
    pub(crate) child: Child,
    pub(crate) lines: std::io::Lines<BufReader<ChildStdout>>,
}

impl Process {
    pub(crate) fn start(task: &str, database: &Path, argument: &str) -> Self {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", "child::what_a_child_does", "--nocapture", "--test-threads=1"]);
        command.env(TASK, format!("{task}\n{}\n{argument}", database.display()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// The rest of the next line that begins so; `None` once it has ended.
    pub(crate) fn line(&mut self, beginning: &str) -> Option<String> {
        self.lines
            .by_ref()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix(beginning).map(str::to_owned))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// One whole line on standard output, in one write, past what captures the output of tests.
pub(crate) fn say(line: &str) {
    std::io::stdout().write_all(format!("{line}\n").as_bytes()).unwrap();
}

#[test]
fn what_a_child_does() {
    let Ok(task) = env::var(TASK) else { return };
    let parts: Vec<_> = task.split('\n').collect();
    // The harness has begun a line.
    say("");
    match parts[0] {
        "hold" => hold(Path::new(parts[1])),
        #[cfg(unix)]
        "write" => crate::kill::write_until_killed(Path::new(parts[1]), parts[2]),
        other => panic!("what is {other}?"),
    }
}

/// Opens the store, says so, and closes it when standard input ends.
fn hold(database: &Path) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        match RedbStore::open(database).await {
            Ok(store) => {
                say("opened: yes");
                std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
                store.close().await;
            }
            Err(error) => say(&format!("opened: {error}")),
        }
    });
}
