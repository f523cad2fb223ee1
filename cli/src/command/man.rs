//! `tribunal man`: manual pages.

use std::path::PathBuf;

use clap::CommandFactory;

use crate::arguments::Arguments;
use crate::exit::Exit;
use crate::failure::Failure;

/// Write the manual pages, one for each command, into a folder.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The folder; it is made if it is not there.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let written = std::fs::create_dir_all(&args.folder)
        .and_then(|()| clap_mangen::generate_to(Arguments::command(), &args.folder));
    written.map_err(|error| Failure::unwritable(&args.folder, &error))?;
    Ok(Exit::Success)
}
