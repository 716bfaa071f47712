//! The overview of all commands: what everyone needs first, the rest after it.

use std::fmt::Write;

/// The commands of the ordinary day, in its order.
const MAIN: [&str; 5] = ["init", "validate", "plan", "apply", "destroy"];

/// A program whose help lists its commands in two groups.
pub(super) fn grouped(program: clap::Command) -> clap::Command {
    let visible = |command: &&clap::Command| !command.is_hide_set();
    let commands: Vec<&clap::Command> = program.get_subcommands().filter(visible).collect();
    let width = commands.iter().map(|c| c.get_name().len()).max();
    let width = width.unwrap_or(0);
    let named = |name: &str| commands.iter().copied().find(|c| c.get_name() == name);
    let mut rest: Vec<&clap::Command> = commands
        .iter()
        .copied()
        .filter(|command| !MAIN.contains(&command.get_name()))
        .collect();
    rest.sort_by_key(|command| command.get_name());
    let main = MAIN.iter().filter_map(|name| named(name));
    let text = format!(
        "Main commands:\n{}\nAll other commands:\n{}",
        listed(main, width),
        listed(rest.into_iter(), width)
    );
    let template = format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{text}\nGlobal options:\n{{options}}{{after-help}}"
    );
    program.help_template(template)
}

fn listed<'a>(commands: impl Iterator<Item = &'a clap::Command>, width: usize) -> String {
    let mut text = String::new();
    for command in commands {
        let about = command.get_about().map(ToString::to_string);
        let (name, about) = (command.get_name(), about.unwrap_or_default());
        let _ = writeln!(text, "  {name:width$}  {about}");
    }
    text
}
