//! What a file declares, in its order.

use lsp_types::{DocumentSymbol, SymbolKind};

use super::buffer::Buffer;
use crate::language::{Block, Body, parse_file};

/// The blocks of a file, with the attributes of those that name values of one's own.
pub(super) fn of(buffer: &Buffer) -> Vec<DocumentSymbol> {
    let (body, _) = parse_file(&"".into(), buffer.text());
    let next = body.blocks.iter().skip(1).map(|next| next.header.start);
    let limits = next.chain([buffer.text().len()]);
    let blocks = body.blocks.iter().zip(limits);
    blocks
        .map(|(block, limit)| symbol(buffer, block, limit))
        .collect()
}

/// A block that ends before the byte `limit`.
fn symbol(buffer: &Buffer, block: &Block, limit: usize) -> DocumentSymbol {
    let labels: Vec<&str> = block.labels.iter().map(|label| &*label.text).collect();
    let kind = match &*block.kind {
        "variable" => SymbolKind::VARIABLE,
        "output" => SymbolKind::PROPERTY,
        "module" => SymbolKind::MODULE,
        "provider" | "isobar" => SymbolKind::PACKAGE,
        "locals" => SymbolKind::NAMESPACE,
        _ => SymbolKind::STRUCT,
    };
    let header = block.header.start..block.header.end;
    let behind = buffer.text().get(header.end..limit).unwrap_or_default();
    let end = behind
        .rfind('}')
        .map_or(header.end, |brace| header.end + brace + 1);
    let values = (&*block.kind == "locals").then(|| values(buffer, &block.body));
    let name = format!("{} {}", block.kind, labels.join("."));
    new(
        buffer,
        (name.trim(), kind),
        (header.start..end, header),
        values,
    )
}

fn values(buffer: &Buffer, body: &Body) -> Vec<DocumentSymbol> {
    let one = |attribute: &crate::language::Attribute| {
        let (name, value) = (&attribute.name_span, attribute.value.span());
        new(
            buffer,
            (&*attribute.name, SymbolKind::CONSTANT),
            (name.start..value.end, name.start..name.end),
            None,
        )
    };
    body.attributes.iter().map(one).collect()
}

#[expect(deprecated, reason = "the field must be named to build the struct")]
fn new(
    buffer: &Buffer,
    (name, kind): (&str, SymbolKind),
    (whole, selected): (std::ops::Range<usize>, std::ops::Range<usize>),
    children: Option<Vec<DocumentSymbol>>,
) -> DocumentSymbol {
    DocumentSymbol {
        name: name.to_owned(),
        detail: None,
        kind,
        tags: None,
        deprecated: None,
        range: buffer.range(whole),
        selection_range: buffer.range(selected),
        children,
    }
}
