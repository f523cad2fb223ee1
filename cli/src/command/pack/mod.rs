//! `tribunal pack`: write, list, look at, build and test packs.

mod build;
mod list;
mod new;
mod show;
mod test;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::Subcommand;
use tribunal::core::pack::manifest;

use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) use list::Listed;

/// Write, list, look at, build and test packs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    New(new::Args),
    List(list::Args),
    Show(show::Args),
    Build(build::Args),
    Test(test::Args),
}

pub(crate) fn run(command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::New(args) => new::run(args),
        Command::List(args) => list::run(args),
        Command::Show(args) => show::run(args),
        Command::Build(args) => build::run(args),
        Command::Test(args) => test::run(args),
    }
}

/// The folder itself if it is a pack, or the packs in it.
fn packs_in(path: &Path) -> Result<Vec<PathBuf>, Failure> {
    let is_pack = |path: &Path| path.join(manifest::FILE).is_file();
    if is_pack(path) || path.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    let unreadable = |error: io::Error| Failure::unreadable(path, &error);
    let entries = fs::read_dir(path).map_err(unreadable)?;
    let mut packs =
        entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<_>>>().map_err(unreadable)?;
    packs.retain(|path| is_pack(path));
    packs.sort();
    if packs.is_empty() {
        return Err(Failure::Input(format!("there is no pack in `{}`", path.display())));
    }
    Ok(packs)
}
