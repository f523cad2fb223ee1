//! A server that is kept while it is needed, and never left behind.

use std::env;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

/// Stands between us and a server. It waits for the server, and kills it as soon as our end of its standard input is
/// closed: that is when we let go of it, and also when this process dies, of whatever.
const KEEPER: &str = r#"
exec 3<&0 </dev/null
"$@" 3<&- &
server=$!
{ read -r _ <&3; kill -9 "$server"; } 2>/dev/null &
watch=$!
exec 3<&-
wait "$server"
status=$?
kill -9 "$watch" 2>/dev/null
exit "$status"
"#;

/// A server that is killed when this is dropped.
#[derive(Debug)]
pub(super) struct Kept {
    keeper: Child,
    /// Closed first of all, see [`KEEPER`].
    lifeline: Option<ChildStdin>,
}

impl Kept {
    /// Starts a server; what it says goes to the file `said`.
    pub(super) fn start(program: &Path, arguments: &[&str], folder: &Path, said: &Path) -> io::Result<Self> {
        let output = File::create(said)?;
        let mut keeper = Command::new("/bin/sh")
            .args(["-c", KEEPER, "keeper"])
            .arg(program)
            .args(arguments)
            .current_dir(folder)
            // Variables of the user would change what the server does.
            .env_clear()
            .envs(env::var_os("PATH").map(|path| ("PATH", path)))
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        let lifeline = keeper.stdin.take();
        Ok(Self { keeper, lifeline })
    }

    /// Lets go of the server without waiting for its end.
    pub(super) fn cut(&mut self) {
        drop(self.lifeline.take());
    }

    /// Whether it has ended by itself.
    pub(super) fn has_ended(&mut self) -> io::Result<bool> {
        Ok(self.keeper.try_wait()?.is_some())
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.cut();
        // Nothing can be done about an error here: there is then nobody to wait for.
        let _ended = self.keeper.wait();
    }
}
