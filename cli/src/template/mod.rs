//! Packs that new packs start from: a small one, and every pack that ships with this program.
//!
//! - [`rename`]: a shipped pack under another name

mod rename;

use tribunal::core::document::nearest;
use tribunal::core::pack::{PackFiles, PackSource};
use tribunal::{LoadErrors, Registry};

/// A pack to start from.
#[derive(Debug)]
pub(crate) struct Template {
    /// What it is called.
    pub(crate) name: &'static str,
    files: &'static [(&'static str, &'static [u8])],
}

/// The small pack, whose Rego knows no name: its built module fits every pack made from it.
pub(crate) const STARTER: Template = Template {
    name: "starter",
    files: &[
        ("README.md", include_bytes!("../../templates/pack/README.md")),
        ("pack.yaml", include_bytes!("../../templates/pack/pack.yaml")),
        ("input.schema.json", include_bytes!("../../templates/pack/input.schema.json")),
        ("data.json", include_bytes!("../../templates/pack/data.json")),
        ("data.schema.json", include_bytes!("../../templates/pack/data.schema.json")),
        ("policy.rego", include_bytes!("../../templates/pack/policy.rego")),
        ("policy.wasm", include_bytes!("../../templates/pack/policy.wasm")),
        ("pack.lock", include_bytes!("../../templates/pack/pack.lock")),
        ("policy.cedar", include_bytes!("../../templates/pack/policy.cedar")),
        ("schema.cedarschema", include_bytes!("../../templates/pack/schema.cedarschema")),
        ("entities.json", include_bytes!("../../templates/pack/entities.json")),
        ("policy.biscuit", include_bytes!("../../templates/pack/policy.biscuit")),
        ("cases/decisions.yaml", include_bytes!("../../templates/pack/cases/decisions.yaml")),
    ],
};

/// The packs that ship with this program, by name.
const SHIPPED: &[Template] = include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// Stands for the pack's name in the starter.
const NAME: &str = "{{name}}";

/// Every template, the starter first.
pub(crate) fn all() -> impl Iterator<Item = &'static Template> {
    std::iter::once(&STARTER).chain(SHIPPED)
}

/// The template of this name.
///
/// # Errors
/// What it could have been.
pub(crate) fn find(name: &str) -> Result<&'static Template, String> {
    all().find(|template| template.name == name).ok_or_else(|| {
        let names: Vec<&str> = all().map(|template| template.name).collect();
        let hint = match nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", names.join(", ")),
        };
        format!("there is no template `{name}` ({hint})")
    })
}

impl Template {
    /// The template as a pack of this name, with what it needs to be called so.
    ///
    /// # Errors
    /// If the template itself cannot be read.
    pub(crate) fn files(&self, name: &str, registry: &Registry) -> Result<PackFiles, LoadErrors> {
        let files = self.files.iter().map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()));
        if self.name == STARTER.name {
            let filled = files.map(|(path, bytes)| match String::from_utf8(bytes) {
                Ok(text) => (path, text.replace(NAME, name).into_bytes()),
                Err(error) => (path, error.into_bytes()),
            });
            return Ok(PackFiles::new(filled));
        }
        let files = PackFiles::new(files);
        if name == self.name { Ok(files) } else { rename::renamed(self.name, files, name, registry) }
    }

    /// The template as a pack under its own name.
    ///
    /// # Errors
    /// If it cannot be read.
    pub(crate) fn source(&self, registry: &Registry) -> Result<PackSource, LoadErrors> {
        PackSource::read(self.name, self.files(self.name, registry)?, registry)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compiled_does_not_know_the_name() {
        for (path, content) in
            STARTER.files.iter().filter(|(path, _)| path.ends_with(".rego") || path.ends_with(".wasm"))
        {
            assert!(!String::from_utf8_lossy(content).contains(NAME), "{path}");
        }
    }

    #[test]
    fn every_template_is_a_pack_and_remains_one_under_another_name() {
        let registry = tribunal::registry();
        for template in all() {
            assert_eq!(template.source(&registry).unwrap().manifest.name, template.name);
            for name in ["my-own-guard", "2fa", "not", "x"] {
                let files = template.files(name, &registry).unwrap();
                let source =
                    PackSource::read(name, files, &registry).unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(source.manifest.name, name);
            }
        }
        assert!(SHIPPED.len() >= 7);
    }

    #[test]
    fn a_template_that_is_not_there_is_told_with_the_nearest() {
        assert!(find("tool-alowlist").unwrap_err().contains("did you mean `tool-allowlist`?"));
        assert!(find("zzz").unwrap_err().contains("starter, "));
    }
}
