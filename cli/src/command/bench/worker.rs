//! `tribunal bench worker`: one process that measures one subject, for `tribunal bench` alone.

use tribunal_benches::subject::Catalogue;
use tribunal_benches::worker::serve;

use crate::exit::Exit;
use crate::failure::Failure;

pub(crate) fn run() -> Result<Exit, Failure> {
    let registry = tribunal::registry();
    let catalogue = Catalogue::new(&registry);
    serve(std::io::stdin().lock(), std::io::stdout().lock(), &catalogue, &registry)?;
    Ok(Exit::Success)
}
