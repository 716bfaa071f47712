//! Random pairs of configurations. What is known to differ (`docs/terraform-differences.md`) is not
//! drawn.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

use crate::case::Case;

/// Numbers that are the same for the same seed (xorshift64*).
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(number).unwrap() % bound
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

#[derive(Clone)]
enum Repetition {
    Once,
    Count(usize),
    Each(Vec<&'static str>),
}

#[derive(Clone)]
struct Resource {
    name: String,
    repetition: Repetition,
    input: String,
    triggers: Option<String>,
    lifecycle: Vec<String>,
    depends_on: Vec<String>,
}

#[derive(Clone)]
struct Module {
    name: String,
    repetition: Repetition,
    argument: String,
    inner: Vec<Resource>,
}

#[derive(Clone)]
enum Block {
    Resource(Resource),
    Module(Module),
}

#[derive(Clone)]
struct Configuration {
    variable: &'static str,
    blocks: Vec<Block>,
    outputs: Vec<String>,
    statements: Vec<String>,
}

/// The pair of configurations of a seed, as a case.
pub(crate) fn case(seed: u64) -> Case {
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let before = Configuration::draw(&mut dice);
    let mut after = before.clone();
    for _ in 0..=dice.below(3) {
        after.change(&mut dice);
    }
    let mut sections = BTreeMap::new();
    before.write("1", &mut sections);
    after.write("2", &mut sections);
    sections.insert("plan".to_owned(), after.flag(&mut dice));
    Case {
        path: PathBuf::from(format!("random-{seed}")),
        sections,
    }
}

const CONSTANTS: [&str; 9] = [
    "1",
    "\"x\"",
    "null",
    "true",
    "[1, 2]",
    "{ k = \"v\" }",
    "tomap({ a = 1 })",
    "tolist([\"a\", \"b\"])",
    "merge({ a = 1 }, { b = null })",
];

impl Block {
    fn name(&self) -> &str {
        match self {
            Self::Resource(resource) => &resource.name,
            Self::Module(module) => &module.name,
        }
    }

    fn address(&self) -> String {
        match self {
            Self::Resource(resource) => format!("terraform_data.{}", resource.name),
            Self::Module(module) => format!("module.{}", module.name),
        }
    }

    fn repetition(&mut self) -> &mut Repetition {
        match self {
            Self::Resource(resource) => &mut resource.repetition,
            Self::Module(module) => &mut module.repetition,
        }
    }

    /// Something of a block that others can rest on.
    fn reference(&self, dice: &mut Dice) -> String {
        let base = self.address();
        let (repetition, attribute) = match self {
            Self::Resource(resource) => {
                let attributes = ["output", "id", "input", "triggers_replace"];
                (&resource.repetition, *dice.one(&attributes))
            }
            Self::Module(module) => (&module.repetition, "out"),
        };
        match repetition {
            Repetition::Once => format!("{base}.{attribute}"),
            Repetition::Count(_) => match dice.below(2) {
                0 => format!("{base}[*].{attribute}"),
                _ => format!("length({base})"),
            },
            Repetition::Each(_) => match dice.below(3) {
                0 => format!("{{ for k, x in {base} : k => x.{attribute} }}"),
                1 => format!("keys({base})"),
                _ => format!("values({base})[*].{attribute}"),
            },
        }
    }
}

fn expression(dice: &mut Dice, before: &[Block]) -> String {
    if before.is_empty() || dice.percent(30) {
        return match dice.percent(30) {
            true => "[var.v, local.l]".to_owned(),
            false => (*dice.one(&CONSTANTS)).to_owned(),
        };
    }
    let at = dice.below(before.len());
    let reference = before[at].reference(dice);
    match dice.below(8) {
        0 => format!("[{reference}, 1]"),
        1 => format!("{{ k = {reference} }}"),
        2 => format!("[for x in [1, 2] : {{ i = x, r = {reference} }}]"),
        3 => format!("jsonencode({reference})"),
        4 => format!("try({reference}, \"none\")"),
        _ => reference,
    }
}

fn repetition(dice: &mut Dice) -> Repetition {
    match dice.below(5) {
        0 => Repetition::Count(dice.below(4)),
        1 => Repetition::Each(keys(dice)),
        _ => Repetition::Once,
    }
}

fn keys(dice: &mut Dice) -> Vec<&'static str> {
    ["a", "b", "c", "d"]
        .into_iter()
        .filter(|_| dice.percent(50))
        .collect()
}

fn lifecycle(dice: &mut Dice, before: &[Block]) -> Vec<String> {
    let mut found = Vec::new();
    if dice.percent(20) {
        found.push(format!("create_before_destroy = {}", dice.percent(70)));
    }
    if dice.percent(12) {
        let ignored = [
            "all",
            "[input]",
            "[triggers_replace]",
            "[input, triggers_replace]",
        ];
        found.push(format!("ignore_changes = {}", dice.one(&ignored)));
    }
    let single = |block: &&Block| matches!(block, Block::Resource(r) if matches!(r.repetition, Repetition::Once));
    let triggers: Vec<&Block> = before.iter().filter(single).collect();
    if !triggers.is_empty() && dice.percent(15) {
        let part = *dice.one(&["", ".input", ".output", ".id"]);
        let address = dice.one(&triggers).address();
        found.push(format!("replace_triggered_by = [{address}{part}]"));
    }
    found
}

impl Resource {
    fn draw(dice: &mut Dice, name: String, before: &[Block]) -> Self {
        let repetition = repetition(dice);
        let input = expression(dice, before);
        let input = match (&repetition, dice.percent(40)) {
            (Repetition::Count(_), true) => format!("[{input}, count.index]"),
            (Repetition::Each(_), true) => format!("[{input}, each.key]"),
            _ => input,
        };
        let depends_on = before
            .iter()
            .filter(|_| dice.percent(12))
            .map(Block::address);
        let depends_on = depends_on.collect();
        Self {
            name,
            repetition,
            input,
            triggers: dice.percent(30).then(|| expression(dice, before)),
            lifecycle: lifecycle(dice, before),
            depends_on,
        }
    }

    fn write(&self, text: &mut String) {
        let _ = writeln!(text, "resource \"terraform_data\" \"{}\" {{", self.name);
        text.push_str(&written(&self.repetition));
        let _ = writeln!(text, "  input = {}", self.input);
        if let Some(triggers) = &self.triggers {
            let _ = writeln!(text, "  triggers_replace = {triggers}");
        }
        if !self.depends_on.is_empty() {
            let _ = writeln!(text, "  depends_on = [{}]", self.depends_on.join(", "));
        }
        if !self.lifecycle.is_empty() {
            let _ = writeln!(
                text,
                "  lifecycle {{\n    {}\n  }}",
                self.lifecycle.join("\n    ")
            );
        }
        text.push_str("}\n");
    }
}

fn written(repetition: &Repetition) -> String {
    match repetition {
        Repetition::Once => String::new(),
        Repetition::Count(count) => format!("  count = {count}\n"),
        Repetition::Each(keys) => format!("  for_each = toset({keys:?})\n"),
    }
}

impl Module {
    fn draw(dice: &mut Dice, name: String, before: &[Block]) -> Self {
        let mut inner: Vec<Block> = Vec::new();
        for place in 0..=dice.below(3) {
            let mut resource = Resource::draw(dice, format!("r{place}"), &inner);
            if dice.percent(50) {
                resource.input = "var.v".to_owned();
            }
            inner.push(Block::Resource(resource));
        }
        let resources = inner.into_iter().filter_map(|block| match block {
            Block::Resource(resource) => Some(resource),
            Block::Module(_) => None,
        });
        Self {
            name,
            repetition: repetition(dice),
            argument: expression(dice, before),
            inner: resources.collect(),
        }
    }

    /// Its output rests on everything in it: a reference to all instances of a module means more
    /// to Terraform.
    fn write(&self) -> String {
        let mut text = "variable \"v\" {}\nlocals { l = 1 }\n".to_owned();
        for resource in &self.inner {
            resource.write(&mut text);
        }
        let all = self
            .inner
            .iter()
            .map(|r| format!("terraform_data.{}", r.name));
        let all: Vec<String> = all.collect();
        let _ = writeln!(
            text,
            "output \"out\" {{ value = [var.v, {}] }}",
            all.join(", ")
        );
        text
    }
}

impl Configuration {
    fn draw(dice: &mut Dice) -> Self {
        let mut blocks = Vec::new();
        for place in 0..=dice.below(5) {
            let block = match dice.percent(20) {
                true => Block::Module(Module::draw(dice, format!("m{place}"), &blocks)),
                false => Block::Resource(Resource::draw(dice, format!("x{place}"), &blocks)),
            };
            blocks.push(block);
        }
        let mut outputs = Vec::new();
        for _ in 0..dice.below(3) {
            let at = dice.below(blocks.len());
            outputs.push(blocks[at].reference(dice));
        }
        Self {
            variable: "\"v1\"",
            blocks,
            outputs,
            statements: Vec::new(),
        }
    }

    fn change(&mut self, dice: &mut Dice) {
        let at = dice.below(self.blocks.len());
        match dice.below(9) {
            0 => self.variable = *dice.one(&["\"v2\"", "2", "[\"r\"]"]),
            1 | 2 => self.resource(dice).input = (*dice.one(&CONSTANTS)).to_owned(),
            3 => self.resource(dice).triggers = Some("\"t\"".to_owned()),
            4 => self.resource(dice).lifecycle = lifecycle(dice, &[]),
            5 => match self.blocks[at].repetition() {
                Repetition::Once => {}
                Repetition::Count(count) => *count = dice.below(4),
                Repetition::Each(each) => *each = keys(dice),
            },
            6 => self.remove_last(dice),
            7 => self.rename(at),
            _ => {
                let name = format!("y{}", self.blocks.len());
                let mut resource = Resource::draw(dice, name, &self.blocks);
                resource.lifecycle = lifecycle(dice, &[]);
                self.blocks.push(Block::Resource(resource));
            }
        }
    }

    /// Any resource, those in modules included.
    fn resource(&mut self, dice: &mut Dice) -> &mut Resource {
        let at = dice.below(self.blocks.len());
        match &mut self.blocks[at] {
            Block::Resource(resource) => resource,
            Block::Module(module) => {
                let at = dice.below(module.inner.len());
                &mut module.inner[at]
            }
        }
    }

    /// Removes the last block unless something refers to it; sometimes it is only forgotten.
    fn remove_last(&mut self, dice: &mut Dice) {
        let Some(last) = self.blocks.pop() else {
            return;
        };
        let mut sections = BTreeMap::new();
        self.write("", &mut sections);
        let address = last.address();
        let used = sections.values().any(|text| text.contains(&address));
        if used || self.blocks.is_empty() {
            self.blocks.push(last);
        } else if dice.percent(30) {
            let destroy = dice.percent(50);
            self.statements.push(format!(
                "removed {{\n  from = {address}\n  lifecycle {{\n    destroy = {destroy}\n  }}\n}}\n"
            ));
        }
    }

    /// Gives a block another name, and says so.
    fn rename(&mut self, at: usize) {
        let from = self.blocks[at].address();
        if from.ends_with("_new") {
            return;
        }
        let to = format!("{from}_new");
        match &mut self.blocks[at] {
            Block::Resource(resource) => resource.name.push_str("_new"),
            Block::Module(module) => module.name.push_str("_new"),
        }
        for block in &mut self.blocks {
            let texts: Vec<&mut String> = match block {
                Block::Resource(resource) => [&mut resource.input]
                    .into_iter()
                    .chain(&mut resource.triggers)
                    .chain(&mut resource.lifecycle)
                    .chain(&mut resource.depends_on)
                    .collect(),
                Block::Module(module) => vec![&mut module.argument],
            };
            for text in texts {
                *text = text.replace(&from, &to);
            }
        }
        for output in &mut self.outputs {
            *output = output.replace(&from, &to);
        }
        self.statements
            .push(format!("moved {{\n  from = {from}\n  to = {to}\n}}\n"));
    }

    fn flag(&self, dice: &mut Dice) -> String {
        let moved = self.statements.iter().any(|text| text.starts_with("moved"));
        let block = dice.one(&self.blocks);
        match dice.below(10) {
            0 | 1 if !moved => format!("-target={}", block.address()),
            2 => match block {
                Block::Resource(resource) => match &resource.repetition {
                    Repetition::Once => format!("-replace={}", block.address()),
                    Repetition::Count(_) => format!("-replace={}[0]", block.address()),
                    Repetition::Each(_) => format!("-replace={}[\"a\"]", block.address()),
                },
                Block::Module(_) => String::new(),
            },
            // With other outputs, Terraform evaluates them once more before.
            3 if self.outputs.is_empty() => "-destroy".to_owned(),
            4 => "-refresh=false".to_owned(),
            _ => String::new(),
        }
    }

    fn write(&self, step: &str, sections: &mut BTreeMap<String, String>) {
        let mut text = format!(
            "variable \"v\" {{ default = {} }}\nlocals {{ l = \"l\" }}\n",
            self.variable
        );
        for block in &self.blocks {
            match block {
                Block::Resource(resource) => resource.write(&mut text),
                Block::Module(module) => {
                    let name = block.name();
                    let _ = writeln!(text, "module \"{name}\" {{\n  source = \"./{name}\"");
                    text.push_str(&written(&module.repetition));
                    let _ = writeln!(text, "  v = {}\n}}", module.argument);
                    sections.insert(format!("{step}/{name}/main"), module.write());
                }
            }
        }
        for (place, output) in self.outputs.iter().enumerate() {
            let _ = writeln!(text, "output \"o{place}\" {{ value = {output} }}");
        }
        text.extend(self.statements.iter().map(String::as_str));
        sections.insert(format!("{step}/main"), text);
    }
}
