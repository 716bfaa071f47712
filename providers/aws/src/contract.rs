//! What SageMaker asks of a model, clause by clause, before anything is made.

use isobar_sdk::deployment::{Model, Offer, Placed};
use isobar_sdk::{Error, Path, Step, Value};

/// The only port that containers are asked on.
const PORT: u16 = 8080;
/// The only path that tells whether a container is well.
const PING: &str = "/ping";
/// Seconds that one answer may take.
const LONGEST_ANSWER: u64 = 60;
/// Seconds that a container may take to start.
pub(crate) const STARTUP: std::ops::RangeInclusive<u64> = 60..=3600;
const MOST_VARIABLES: usize = 100;
const LONGEST_VARIABLE: usize = 1024;
const MOST_BYTES: usize = 32 << 10;

/// Checks a model for a zone; `answers_ping` says that its image answers what SageMaker asks
/// beside the routes that it declares.
pub(crate) fn check(placed: &Placed, answers_ping: bool) -> Result<(), Error> {
    let model = &placed.model;
    if model.image.is_none() {
        let message = format!(
            "SageMaker runs containers, and model {} has no image",
            model.name
        );
        return Err(Error::invalid(Path::attribute("image"), message)
            .help("set image to one in ECR of the zone's region"));
    }
    if !model.command.is_empty() {
        let message = "SageMaker starts the image with the argument `serve` and takes no command";
        return Err(Error::invalid(Path::attribute("command"), message)
            .help("put the command into the image as its entry point"));
    }
    serve(model, answers_ping)?;
    performance(model)?;
    variables(model)?;
    if let Some(artifact) = &model.artifact {
        self::artifact(artifact, "artifact")?;
    }
    image(
        model.image.as_deref().unwrap_or_default(),
        placed.zone.region.as_deref(),
        "image",
    )
}

/// Names are made from the content, so it must be known.
fn variables(model: &Model) -> Result<(), Error> {
    let mut variables = model.environment.iter();
    if let Some((name, _)) = variables.find(|(_, value)| !value.is_wholly_known()) {
        let message = format!(
            "the environment variable {name} is known after apply only, but the name of the model is made from it"
        );
        return Err(Error::invalid(Path::attribute("environment"), message)
            .help("use a value that is known at plan time, or apply what it comes from first"));
    }
    let variables = model.environment.iter();
    let variables = Value::map(variables.map(|(name, value)| (name.as_str(), value.clone())));
    environment(&variables, "environment")
}

fn serve(model: &Model, answers_ping: bool) -> Result<(), Error> {
    let path = |name: &str| Path::attribute("serve").then(Step::Attribute(name.into()));
    if model.serve.port != PORT {
        let message = format!(
            "SageMaker asks containers on port {PORT}, but model {} listens on {}",
            model.name, model.serve.port
        );
        return Err(Error::invalid(path("port"), message)
            .help(format!("let it listen on {PORT} and set port = {PORT}")));
    }
    if model.serve.health_path != PING && !answers_ping {
        let message = format!(
            "SageMaker asks GET {PING} and POST /invocations, but model {} declares {}",
            model.name, model.serve.health_path
        );
        return Err(Error::invalid(path("health_path"), message).help(format!(
            "set health_path = \"{PING}\"; if the image answers both, set answers_ping = true in the zone"
        )));
    }
    Ok(())
}

fn performance(model: &Model) -> Result<(), Error> {
    let path = |name: &str| Path::attribute("performance").then(Step::Attribute(name.into()));
    let service = model.performance.service_time.as_secs();
    if service >= LONGEST_ANSWER {
        let message = format!(
            "SageMaker gives up on an answer after {LONGEST_ANSWER} s, but model {} takes {service} s in the mean",
            model.name
        );
        return Err(Error::invalid(path("service_time"), message).help("leave the zone out"));
    }
    let startup = model.performance.startup.as_secs();
    if startup > *STARTUP.end() {
        let message = format!(
            "SageMaker gives up on a container after {} s, but model {} needs {startup} s to start",
            STARTUP.end(),
            model.name
        );
        return Err(Error::invalid(path("startup"), message).help("load less at the start"));
    }
    Ok(())
}

/// Checks the instance type, which SageMaker has names of its own for.
pub(crate) fn instance(instance: &str, attribute: &str) -> Result<(), Error> {
    if instance.starts_with("ml.") {
        return Ok(());
    }
    let message = format!("{instance:?} is no instance type of SageMaker");
    let error = Error::invalid(Path::attribute(attribute), message);
    Err(error.help(format!("write \"ml.{instance}\" if SageMaker has it")))
}

/// The instance type that was chosen for a zone.
pub(crate) fn offer(placed: &Placed) -> Result<&Offer, Error> {
    placed.offer.as_ref().ok_or_else(|| {
        let message = format!(
            "no instance type of SageMaker in {} has what a replica of {} needs",
            placed.zone.name, placed.model.name
        );
        Error::invalid(Path::attribute("resources"), message)
            .help("ask for less, or leave the zone out")
    })
}

/// Checks environment variables as far as they are known.
pub(crate) fn environment(environment: &Value, attribute: &str) -> Result<(), Error> {
    let Some(fields) = environment.fields() else {
        return Ok(());
    };
    let wrong = |message: String| Err(Error::invalid(Path::attribute(attribute), message));
    if fields.len() > MOST_VARIABLES {
        return wrong(format!(
            "there are {} environment variables, but SageMaker takes {MOST_VARIABLES}",
            fields.len()
        ));
    }
    let mut bytes = 0;
    for (name, value) in fields.iter() {
        let length = value.as_str().map_or(0, str::len);
        bytes += name.len() + length;
        if name.len() > LONGEST_VARIABLE || length > LONGEST_VARIABLE {
            return wrong(format!(
                "the environment variable {name} is longer than the {LONGEST_VARIABLE} bytes that SageMaker takes"
            ));
        }
    }
    if bytes > MOST_BYTES {
        return wrong(format!(
            "the environment has {bytes} bytes, but SageMaker takes {MOST_BYTES}"
        ));
    }
    Ok(())
}

/// Checks that an image of ECR is in the region.
pub(crate) fn image(image: &str, region: Option<&str>, attribute: &str) -> Result<(), Error> {
    let host = image.split('/').next().unwrap_or_default();
    let mut parts = host.split('.').skip(1);
    let of_ecr = parts.next() == Some("dkr") && parts.next() == Some("ecr");
    let (Some(there), Some(region)) = (parts.next().filter(|_| of_ecr), region) else {
        return Ok(());
    };
    if there == region {
        return Ok(());
    }
    let message =
        format!("the image is in {there}, but SageMaker in {region} takes images of {region} only");
    Err(
        Error::invalid(Path::attribute(attribute), message).help(format!(
            "copy it: let ECR replicate the repository to {region}"
        )),
    )
}

/// Checks that files are where SageMaker finds them.
pub(crate) fn artifact(artifact: &str, attribute: &str) -> Result<(), Error> {
    let below = artifact.strip_prefix("s3://").unwrap_or_default();
    let is_key = below
        .split_once('/')
        .is_some_and(|(bucket, _)| !bucket.is_empty());
    if !is_key {
        let message = format!("SageMaker takes files from S3, but the artifact is {artifact:?}");
        return Err(Error::invalid(Path::attribute(attribute), message)
            .help("upload it and write s3://BUCKET/KEY.tar.gz, or s3://BUCKET/PREFIX/"));
    }
    if artifact.ends_with('/') || artifact.ends_with(".tar.gz") || artifact.ends_with(".tgz") {
        return Ok(());
    }
    let message = format!("{artifact:?} is neither an archive nor a prefix");
    Err(Error::invalid(Path::attribute(attribute), message)
        .help("name a .tar.gz, or end the prefix with /"))
}

/// Checks the form of the name of a role.
pub(crate) fn role(role: &str, attribute: &str) -> Result<(), Error> {
    let mut parts = role.splitn(6, ':');
    let arn = parts.next() == Some("arn");
    let iam = parts.nth(1) == Some("iam");
    let named = parts.nth(2).is_some_and(|name| name.starts_with("role/"));
    if arn && iam && named {
        return Ok(());
    }
    let message = format!("{role:?} is no role");
    Err(Error::invalid(Path::attribute(attribute), message)
        .help("write its ARN, such as arn:aws:iam::123456789012:role/service-role/models"))
}

#[cfg(test)]
mod tests {
    use super::{artifact, image, role};

    #[test]
    fn images_and_files_must_be_where_the_endpoint_is() {
        let ecr = "1.dkr.ecr.eu-west-1.amazonaws.com/a@sha256:0";
        assert!(image(ecr, Some("eu-west-1"), "image").is_ok());
        assert!(image(ecr, Some("us-east-1"), "image").is_err());
        assert!(image("registry.example/a", Some("us-east-1"), "image").is_ok());
        for right in ["s3://b/a.tar.gz", "s3://b/a/", "s3://b/a.tgz"] {
            assert!(artifact(right, "artifact").is_ok(), "{right}");
        }
        for wrong in ["model/", "s3://b", "s3:///a/", "s3://b/a.onnx", "gs://b/a/"] {
            assert!(artifact(wrong, "artifact").is_err(), "{wrong}");
        }
        assert!(role("arn:aws:iam::1:role/a", "role").is_ok());
        assert!(role("arn:aws:iam::1:user/a", "role").is_err());
        assert!(role("models", "role").is_err());
    }
}
