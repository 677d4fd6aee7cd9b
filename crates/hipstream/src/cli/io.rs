//! What functions take and give, by command line: inputs from text and files,
//! results to text and files, and whether they are what was expected.

mod convert;
mod declaration;
mod expected;
mod inputs;
mod outputs;
mod value;

use vm::Kind;

pub(super) use convert::{argument, resident, value};
pub(super) use declaration::{Declaration, Declared};
pub(super) use expected::{Expected, Tolerances};
pub(super) use inputs::{check_count, parse};
pub(super) use outputs::{Sink, write};
pub(super) use value::Value;

use crate::{FunctionInfo, Result};

/// What a caller must know of a function.
pub(super) struct Interface {
    pub(super) name: String,
    /// The text of its declaration, or of its calling convention: for help.
    pub(super) usage: String,
    pub(super) inputs: Vec<Slot>,
    pub(super) results: Vec<Slot>,
}

/// An input or a result.
#[derive(Clone, Debug)]
pub(super) struct Slot {
    pub(super) kind: Kind,
    /// How the author declared it, if the compiler kept that.
    pub(super) declared: Option<Declared>,
}

impl Interface {
    pub(super) fn new(function: &FunctionInfo<'_>) -> Result<Self> {
        let declaration = function.declaration().and_then(Declaration::parse);
        let (inputs, results) = match declaration {
            Some(declaration) => (declaration.inputs, declaration.results),
            None => (Vec::new(), Vec::new()),
        };
        Ok(Self {
            name: function.name().to_owned(),
            usage: match function.declaration() {
                Some(declaration) => format!("it is declared `{declaration}`"),
                None => format!("its calling convention is `{}`", function.signature()),
            },
            inputs: slots(&function.argument_kinds()?, inputs),
            results: slots(function.signature().results(), results),
        })
    }
}

/// Kinds with their declarations. The calling convention counts: a declaration
/// with another number of types says nothing.
fn slots(kinds: &[Kind], declared: Vec<Declared>) -> Vec<Slot> {
    let mut declared = match declared.len() == kinds.len() {
        true => declared.into_iter().map(Some).collect(),
        false => vec![None; kinds.len()],
    }
    .into_iter();
    kinds
        .iter()
        .map(|&kind| Slot {
            kind,
            declared: declared.next().flatten(),
        })
        .collect()
}

impl Slot {
    /// The declared type, or the kind.
    pub(super) fn text(&self) -> String {
        match &self.declared {
            Some(declared) => declared.text().to_owned(),
            None => match self.kind {
                Kind::Ref => "an array or another object".to_owned(),
                kind => kind.to_string(),
            },
        }
    }
}
