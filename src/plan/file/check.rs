//! What became of conditions, as a plan file holds it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::plan::{CheckStatus, Checked, Name, Node};

#[derive(Serialize, Deserialize)]
pub(super) struct CheckDocument {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    module: Vec<String>,
    subject: SubjectDocument,
    instances: BTreeMap<String, CheckedDocument>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SubjectDocument {
    Block(String, String),
    Data(String, String),
    Output(String),
    Variable(String),
    Check(String),
}

#[derive(Serialize, Deserialize)]
struct CheckedDocument {
    status: StatusDocument,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    problems: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum StatusDocument {
    Pass,
    Unknown,
    Fail,
    Error,
}

impl From<(&Node, &BTreeMap<String, Checked>)> for CheckDocument {
    fn from((node, instances): (&Node, &BTreeMap<String, Checked>)) -> Self {
        let subject = match &node.name {
            Name::Block(kind, name) => SubjectDocument::Block(kind.to_string(), name.to_string()),
            Name::Data(kind, name) => SubjectDocument::Data(kind.to_string(), name.to_string()),
            Name::Output(name) => SubjectDocument::Output(name.to_string()),
            Name::Check(name) => SubjectDocument::Check(name.to_string()),
            Name::Variable(name)
            | Name::Validation(name)
            | Name::Local(name)
            | Name::Call(name) => SubjectDocument::Variable(name.to_string()),
        };
        let checked = |checked: &Checked| CheckedDocument {
            status: match checked.status {
                CheckStatus::Pass => StatusDocument::Pass,
                CheckStatus::Unknown => StatusDocument::Unknown,
                CheckStatus::Fail => StatusDocument::Fail,
                CheckStatus::Error => StatusDocument::Error,
            },
            problems: checked.problems.clone(),
        };
        Self {
            module: node.module.iter().map(ToString::to_string).collect(),
            subject,
            instances: instances
                .iter()
                .map(|(name, found)| (name.clone(), checked(found)))
                .collect(),
        }
    }
}

impl CheckDocument {
    pub(super) fn into_check(self) -> (Node, BTreeMap<String, Checked>) {
        let name = match self.subject {
            SubjectDocument::Block(kind, name) => Name::Block(kind.into(), name.into()),
            SubjectDocument::Data(kind, name) => Name::Data(kind.into(), name.into()),
            SubjectDocument::Output(name) => Name::Output(name.into()),
            SubjectDocument::Variable(name) => Name::Validation(name.into()),
            SubjectDocument::Check(name) => Name::Check(name.into()),
        };
        let module: Vec<Arc<str>> = self.module.into_iter().map(Into::into).collect();
        let checked = |document: CheckedDocument| Checked {
            status: match document.status {
                StatusDocument::Pass => CheckStatus::Pass,
                StatusDocument::Unknown => CheckStatus::Unknown,
                StatusDocument::Fail => CheckStatus::Fail,
                StatusDocument::Error => CheckStatus::Error,
            },
            problems: document.problems,
        };
        let instances = self.instances.into_iter();
        (
            name.within(&module.into()),
            instances
                .map(|(name, found)| (name, checked(found)))
                .collect(),
        )
    }
}
