//! A module's parts where they lie in its bytes, so that its policy can be read out of them and one part written anew.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use wasm_encoder::{CodeSection, ConstExpr, DataSection, RawSection};
use wasmparser::{DataKind, FunctionBody, KnownCustom, Name, Operator, Parser, Payload, TypeRef};

use crate::module::{ModuleError, constant};

/// The type byte of a text in OPA's `value.h` that lies in the module itself.
const INTERNED_STRING: u8 = 8;
/// Likewise of `true` and `false`.
const INTERNED_BOOLEAN: u8 = 9;
/// The length of such a text's head: its type, its length, its address.
const STRING_HEAD: usize = 12;

/// A module of OPA's, taken apart.
#[derive(Debug)]
pub(crate) struct Image<'m> {
    pub(crate) bytes: &'m [u8],
    /// The functions' names. OPA's compiler names every function that it keeps, and no other.
    names: BTreeMap<u32, &'m str>,
    by_name: HashMap<&'m str, u32>,
    /// How many parameters each type has.
    types: Vec<usize>,
    /// The type of every function, imported ones first.
    functions: Vec<u32>,
    imported: usize,
    pub(crate) bodies: Vec<FunctionBody<'m>>,
    segments: Vec<Segment<'m>>,
    sections: Vec<(u8, Range<usize>)>,
}

#[derive(Debug)]
struct Segment<'m> {
    /// `None` for one that the module copies itself, which OPA's never do.
    address: Option<u32>,
    data: &'m [u8],
}

/// A value that lies in the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Interned {
    String(String),
    Bool(bool),
}

impl<'m> Image<'m> {
    /// Takes a module apart that [`OpaModule::read`](crate::module::OpaModule::read) takes in.
    pub(crate) fn read(bytes: &'m [u8]) -> Result<Self, ModuleError> {
        let mut image = Image {
            bytes,
            names: BTreeMap::new(),
            by_name: HashMap::new(),
            types: Vec::new(),
            functions: Vec::new(),
            imported: 0,
            bodies: Vec::new(),
            segments: Vec::new(),
            sections: Vec::new(),
        };
        for payload in Parser::new(0).parse_all(bytes) {
            let payload = payload?;
            image.sections.extend(payload.as_section());
            match payload {
                Payload::TypeSection(section) => {
                    for function in section.into_iter_err_on_gc_types() {
                        image.types.push(function?.params().len());
                    }
                }
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        if let TypeRef::Func(index) | TypeRef::FuncExact(index) = import?.ty {
                            image.functions.push(index);
                            image.imported += 1;
                        }
                    }
                }
                Payload::FunctionSection(section) => {
                    for index in section {
                        image.functions.push(index?);
                    }
                }
                Payload::CodeSectionEntry(body) => image.bodies.push(body),
                Payload::DataSection(section) => {
                    for segment in section {
                        let segment = segment?;
                        let address = match &segment.kind {
                            DataKind::Active { offset_expr, .. } => {
                                constant(offset_expr).map(i32::cast_unsigned)
                            }
                            DataKind::Passive => None,
                        };
                        image.segments.push(Segment { address, data: segment.data });
                    }
                }
                Payload::CustomSection(section) => {
                    if let KnownCustom::Name(names) = section.as_known() {
                        image.read_names(names);
                    }
                }
                _ => {}
            }
        }
        Ok(image)
    }

    /// Names are for people: damaged ones are no reason to refuse a module.
    fn read_names(&mut self, names: wasmparser::NameSectionReader<'m>) {
        for names in names.into_iter().flatten() {
            if let Name::Function(names) = names {
                for naming in names.into_iter().flatten() {
                    self.names.insert(naming.index, naming.name);
                    self.by_name.entry(naming.name).or_insert(naming.index);
                }
            }
        }
    }

    /// A function's name; nothing for one that the compiler has emptied because nothing calls it.
    pub(crate) fn name(&self, function: u32) -> Option<&'m str> {
        self.names.get(&function).copied()
    }

    /// The function of a name.
    pub(crate) fn function(&self, name: &str) -> Option<u32> {
        self.by_name.get(name).copied()
    }

    /// All named functions, in the order of the module.
    pub(crate) fn named(&self) -> impl Iterator<Item = (u32, &'m str)> {
        self.names.iter().map(|(function, name)| (*function, *name))
    }

    /// How many parameters a function has.
    pub(crate) fn arity(&self, function: u32) -> Option<usize> {
        self.types.get(*self.functions.get(function as usize)? as usize).copied()
    }

    /// Where in [`Image::bodies`] a function is.
    pub(crate) fn body_index(&self, function: u32) -> Option<usize> {
        (function as usize).checked_sub(self.imported)
    }

    /// What lies at an address before the module runs, to the end of its segment.
    fn memory(&self, address: u32) -> Option<&'m [u8]> {
        self.segments.iter().find_map(|segment| {
            let offset = address.checked_sub(segment.address?)?;
            segment.data.get(offset as usize..).filter(|rest| !rest.is_empty())
        })
    }

    /// The text at an address, of a given length.
    pub(crate) fn text(&self, address: i32, length: i32) -> Option<&'m str> {
        let length = usize::try_from(length).ok()?;
        std::str::from_utf8(self.memory(address.cast_unsigned())?.get(..length)?).ok()
    }

    /// The text at an address, up to the zero that ends it.
    pub(crate) fn terminated(&self, address: i32) -> Option<&'m str> {
        let text = self.memory(address.cast_unsigned())?;
        let end = text.iter().position(|byte| *byte == 0)?;
        std::str::from_utf8(text.get(..end)?).ok()
    }

    /// The text or boolean at an address.
    pub(crate) fn interned(&self, address: i32) -> Option<Interned> {
        let value = self.memory(address.cast_unsigned())?;
        match *value.first()? {
            INTERNED_STRING => {
                let (head, _) = value.split_first_chunk::<STRING_HEAD>()?;
                self.string_of(head).map(|text| Interned::String(text.to_owned()))
            }
            INTERNED_BOOLEAN => match value.get(1)? {
                0 => Some(Interned::Bool(false)),
                1 => Some(Interned::Bool(true)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The address of a boolean, from the function that gives it.
    pub(crate) fn boolean(&self, value: bool) -> Option<i32> {
        // The compiler writes `opa_boolean` as `select(true, false, condition)`.
        let body = self.bodies.get(self.body_index(self.function("opa_boolean")?)?)?;
        let operators = body.get_operators_reader().ok()?.into_iter().map_while(Result::ok);
        operators
            .filter_map(|operator| match operator {
                Operator::I32Const { value } => Some(value),
                _ => None,
            })
            .find(|address| self.interned(*address) == Some(Interned::Bool(value)))
    }

    fn string_of(&self, head: &[u8; STRING_HEAD]) -> Option<&'m str> {
        let [kind, a, b, c, l0, l1, l2, l3, p0, p1, p2, p3] = *head;
        if [kind, a, b, c] != [INTERNED_STRING, 0, 0, 0] {
            return None;
        }
        self.text(i32::from_le_bytes([p0, p1, p2, p3]), i32::from_le_bytes([l0, l1, l2, l3]))
    }

    /// Every text that the compiler put into the module as a value, in its order: for modules without names, where nothing
    /// tells which function refers to which.
    pub(crate) fn strings(&self) -> Vec<&'m str> {
        // The compiler writes `true` and `false` in front of the texts' heads.
        let booleans = [INTERNED_BOOLEAN, 1, INTERNED_BOOLEAN, 0];
        let tables = self.segments.iter().filter_map(|segment| {
            let start = segment.data.windows(booleans.len()).position(|window| window == booleans)?;
            let (heads, _) = segment.data.get(start + booleans.len()..)?.as_chunks::<STRING_HEAD>();
            let strings: Vec<&str> = heads.iter().map_while(|head| self.string_of(head)).collect();
            (!strings.is_empty()).then_some(strings)
        });
        tables.flatten().collect()
    }

    /// The address after everything that lies in the module, where its heap begins.
    pub(crate) fn data_end(&self) -> Option<u32> {
        let end =
            |segment: &Segment<'_>| segment.address?.checked_add(u32::try_from(segment.data.len()).ok()?);
        self.segments.iter().filter_map(end).max()
    }

    /// The module with other function bodies, by their index in [`Image::bodies`], and with more data after its last.
    /// Everything else is as it was.
    pub(crate) fn write(&self, bodies: &BTreeMap<usize, Vec<u8>>, more_data: &[u8]) -> Vec<u8> {
        let mut module = wasm_encoder::Module::new();
        for (id, range) in &self.sections {
            if *id == wasm_encoder::SectionId::Code as u8 {
                let mut section = CodeSection::new();
                for (index, body) in self.bodies.iter().enumerate() {
                    section.raw(bodies.get(&index).map_or(body.as_bytes(), Vec::as_slice));
                }
                module.section(&section);
            } else if *id == wasm_encoder::SectionId::Data as u8 && !more_data.is_empty() {
                module.section(&self.data_section(more_data));
            } else if let Some(data) = self.bytes.get(range.clone()) {
                module.section(&RawSection { id: *id, data });
            }
        }
        module.finish()
    }

    fn data_section(&self, more: &[u8]) -> DataSection {
        let end = self.data_end();
        let mut section = DataSection::new();
        let mut more = Some(more);
        for Segment { address, data } in &self.segments {
            let Some(address) = address else {
                section.passive(data.iter().copied());
                continue;
            };
            let is_last =
                u32::try_from(data.len()).ok().and_then(|length| address.checked_add(length)) == end;
            let data = match more.take_if(|_| is_last) {
                Some(more) => [data, more].concat(),
                None => data.to_vec(),
            };
            section.active(0, &ConstExpr::i32_const(address.cast_signed()), data);
        }
        section
    }
}

/// A text as OPA's compiler puts it into a module, to lie at `address`, and the address of the value itself.
pub(crate) fn interned_string(text: &str, address: u32) -> Option<(Vec<u8>, i32)> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    let head = address.checked_add(u32::try_from(bytes.len()).ok()?)?;
    bytes.extend([INTERNED_STRING, 0, 0, 0]);
    bytes.extend(u32::try_from(text.len()).ok()?.to_le_bytes());
    bytes.extend(address.to_le_bytes());
    Some((bytes, head.cast_signed()))
}
