//! `tribunal bench worker`: one process that measures one subject, for `tribunal bench` alone.

use tribunal_benches::subject::Catalogue;
use tribunal_benches::worker::serve;

use crate::exit::Exit;
use crate::failure::Failure;

/// How it works.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Tell `perf` what compiled code is called.
    #[arg(long)]
    name_compiled_code: bool,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    if args.name_compiled_code {
        #[cfg(feature = "wasm")]
        tribunal::wasm::bare::name_compiled_code();
    }
    let registry = tribunal::registry();
    let catalogue = Catalogue::new(&registry);
    serve(std::io::stdin().lock(), std::io::stdout().lock(), &catalogue, &registry)?;
    Ok(Exit::Success)
}
