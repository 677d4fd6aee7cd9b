//! How authors declare functions, as compilers keep it in modules:
//! `sync func @add(%input0: tensor<?x4xf32>, %input1: i32) -> (%output0: f32)`.

use hal::ElementType;

/// The types of a declaration.
#[derive(Debug, PartialEq)]
pub(in crate::cli) struct Declaration {
    pub(in crate::cli) inputs: Vec<Declared>,
    pub(in crate::cli) results: Vec<Declared>,
}

/// A declared type.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cli) struct Declared {
    text: String,
    tensor: Option<Tensor>,
}

/// A tensor type.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::cli) struct Tensor {
    /// Sizes, outermost first; `None` for those that each call chooses.
    pub(in crate::cli) shape: Vec<Option<u64>>,
    /// `None` for types that arrays in text do not know.
    pub(in crate::cli) element_type: Option<ElementType>,
}

impl Declaration {
    /// Reads a declaration. `None` for text of another form: it is there to
    /// be read by people.
    pub(in crate::cli) fn parse(text: &str) -> Option<Self> {
        let start = text.find('(')?;
        let end = start + closing(&text[start..])?;
        let inputs = types(&text[start + 1..end]);
        let rest = text[end + 1..].trim_start();
        let results = match rest.strip_prefix("->").map(str::trim) {
            None | Some("") => Vec::new(),
            Some(results) if results.starts_with('(') => types(&results[1..closing(results)?]),
            Some(result) => types(result),
        };
        Some(Self { inputs, results })
    }
}

impl Declared {
    fn new(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            tensor: tensor(text),
        }
    }

    /// As it was written.
    pub(in crate::cli) fn text(&self) -> &str {
        &self.text
    }

    /// The tensor, if it is one.
    pub(in crate::cli) fn tensor(&self) -> Option<&Tensor> {
        self.tensor.as_ref()
    }

    /// The bits of an integer scalar: 32 of `i32`, 1 of `i1`.
    pub(in crate::cli) fn integer_bits(&self) -> Option<u32> {
        let digits = self.text.trim_start_matches(['s', 'u']).strip_prefix('i')?;
        digits.parse().ok().filter(|bits| (1..=64).contains(bits))
    }
}

/// The types of a list of `%name: type {attributes}`, or of bare types.
fn types(list: &str) -> Vec<Declared> {
    split(list)
        .into_iter()
        .map(|item| {
            let named = item
                .strip_prefix('%')
                .and_then(|item| item.split_once(':'))
                .map_or(item, |(_, kind)| kind);
            // Attributes follow in braces.
            let kind = match named.find(" {") {
                Some(attributes) => &named[..attributes],
                None => named,
            };
            Declared::new(kind.trim())
        })
        .collect()
}

/// Splits at the commas that stand in no brackets.
fn split(list: &str) -> Vec<&str> {
    let mut items = Vec::new();
    let (mut depth, mut start) = (0i32, 0);
    for (at, c) in list.char_indices() {
        match c {
            '(' | '<' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            // The arrow of a function type is no bracket.
            '>' if !list[..at].ends_with('-') => depth -= 1,
            ',' if depth == 0 => {
                items.push(list[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    items.push(list[start..].trim());
    items.retain(|item| !item.is_empty());
    items
}

/// Where the bracket that a text begins with is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    text.char_indices().find_map(|(at, c)| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        (depth == 0).then_some(at)
    })
}

fn tensor(text: &str) -> Option<Tensor> {
    let inner = text.strip_prefix("tensor<")?.strip_suffix('>')?;
    // An encoding may follow.
    let inner = split(inner).first().copied()?;
    let mut shape = Vec::new();
    let mut rest = inner;
    while let Some((size, inner)) = rest.split_once('x') {
        let size = match size {
            "?" => None,
            digits => match digits.parse() {
                Ok(size) => Some(size),
                // The x of an element type such as `complex<f32>`.
                Err(_) => break,
            },
        };
        shape.push(size);
        rest = inner;
    }
    let element_type = match rest {
        "complex<f32>" => Some(ElementType::COMPLEX_FLOAT_64),
        "complex<f64>" => Some(ElementType::COMPLEX_FLOAT_128),
        name => name.parse().ok(),
    };
    Some(Tensor {
        shape,
        element_type,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(types: &[Declared]) -> Vec<&str> {
        types.iter().map(Declared::text).collect()
    }

    #[test]
    fn inputs_and_results_are_told_apart() {
        let declaration = Declaration::parse(
            "sync func @f(%input0: tensor<?x4xf32>, %input1: i32 {iree.abi.x = 1 : i32}, %l: !util.list<?, (i32) -> i32>) -> (%output0: tensor<f16>, %output1: !hal.buffer_view)",
        )
        .expect("a declaration");
        assert_eq!(
            texts(&declaration.inputs),
            ["tensor<?x4xf32>", "i32", "!util.list<?, (i32) -> i32>"]
        );
        assert_eq!(
            texts(&declaration.results),
            ["tensor<f16>", "!hal.buffer_view"]
        );
        let nothing = Declaration::parse("sync func @f() -> ()").expect("a declaration");
        assert_eq!((nothing.inputs.len(), nothing.results.len()), (0, 0));
        let one = Declaration::parse("async func @f(i8) -> f64").expect("a declaration");
        assert_eq!(texts(&one.results), ["f64"]);
        for text in ["", "func", "func @f(", "func @f((", "func @f() -> ("] {
            assert_eq!(Declaration::parse(text), None, "{text}");
        }
    }

    #[test]
    fn tensors_have_a_shape_and_an_element_type() {
        for (text, shape, element_type) in [
            ("tensor<4xf32>", vec![Some(4)], "f32"),
            ("tensor<?x2xbf16>", vec![None, Some(2)], "bf16"),
            ("tensor<i1>", vec![], "i1"),
            ("tensor<2xcomplex<f32>>", vec![Some(2)], "cf64"),
            (
                "tensor<3xf8E4M3FN, #encoding<x>>",
                vec![Some(3)],
                "f8E4M3FN",
            ),
        ] {
            let declared = Declared::new(text);
            let tensor = declared.tensor().expect("a tensor");
            assert_eq!(tensor.shape, shape, "{text}");
            assert_eq!(tensor.element_type, element_type.parse().ok(), "{text}");
        }
        assert_eq!(Declared::new("!hal.buffer_view").tensor(), None);
        assert_eq!(Declared::new("i1").integer_bits(), Some(1));
        assert_eq!(Declared::new("index").integer_bits(), None);
        assert_eq!(Declared::new("f32").integer_bits(), None);
    }

    proptest::proptest! {
        /// Modules may say anything here.
        #[test]
        fn any_text_is_read_or_refused(text in "func @f[(](%[ab]|tensor<|[0-9?]x|f32|i8|é|[{}()<>,: \\[\\]=#!-]|->){0,24}") {
            if let Some(declaration) = Declaration::parse(&text) {
                for declared in declaration.inputs.iter().chain(&declaration.results) {
                    assert!(text.contains(declared.text()), "{declared:?}");
                    declared.integer_bits();
                }
            }
        }
    }
}
