//! The one model that a server serves: who it is, whether it is ready, and inference on it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

use crate::inference::Inference;
use crate::metrics::Metrics;
use crate::model::Model;
use crate::options::{Limits, Options};
use crate::problem::Problem;
use crate::protocol::{InferenceRequest, InferenceResponse, ModelMetadata};
use crate::tensor::TensorSpec;

/// State that all requests share.
pub(crate) struct Service {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) instance: String,
    pub(crate) limits: Limits,
    pub(crate) metrics: Metrics,
    model: OnceLock<Arc<Model>>,
    workers: Arc<Semaphore>,
}

impl Service {
    pub(crate) fn new(options: &Options) -> Self {
        let (name, version) = (options.model_name(), options.model_version());
        Self {
            metrics: Metrics::new(&name, &version),
            instance: options.instance_name(),
            limits: options.limits,
            model: OnceLock::new(),
            workers: Arc::new(Semaphore::new(options.workers.get())),
            name,
            version,
        }
    }

    /// Makes the service ready. A second model is ignored: a server has one.
    pub(crate) fn accept(&self, model: Model, load: Duration) {
        if self.model.set(Arc::new(model)).is_ok() {
            self.metrics.loaded(load);
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.model.get().is_some()
    }

    /// Checks that a path's model and version are the ones served.
    pub(crate) fn check(&self, name: &str, version: Option<&str>) -> Result<(), Problem> {
        if name != self.name {
            return Err(Problem::UnknownModel {
                given: name.to_owned(),
                served: self.name.clone(),
            });
        }
        match version {
            Some(version) if version != self.version => Err(Problem::UnknownVersion {
                model: self.name.clone(),
                given: version.to_owned(),
                served: self.version.clone(),
            }),
            _ => Ok(()),
        }
    }

    pub(crate) fn metadata(&self) -> Result<ModelMetadata, Problem> {
        let model = self.model()?;
        let describe = |specs: &[TensorSpec]| specs.iter().map(TensorSpec::metadata).collect();
        Ok(ModelMetadata {
            name: self.name.clone(),
            versions: vec![self.version.clone()],
            platform: "tract_onnx",
            inputs: describe(model.inputs()),
            outputs: describe(model.outputs()),
        })
    }

    /// Answers an inference request's body, off the asynchronous threads, once a worker is free.
    pub(crate) async fn infer(
        &self,
        body: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<InferenceResponse, Problem> {
        let model = Arc::clone(self.model()?);
        let failed = |reason: &dyn ToString| Problem::Inference(reason.to_string());
        let permit = Arc::clone(&self.workers)
            .acquire_owned()
            .await
            .map_err(|closed| failed(&closed))?;
        let work = spawn_blocking(move || {
            // Held until the work is done, even when the request was given up meanwhile.
            let _permit = permit;
            let request: InferenceRequest = serde_json::from_slice(body.as_ref())
                .map_err(|error| Problem::Body(error.to_string()))?;
            let outputs = Inference::of(&model, &request)?.run(&model)?;
            Ok((request.id, outputs))
        });
        let (id, outputs) = work.await.map_err(|panicked| failed(&panicked))??;
        Ok(InferenceResponse {
            model_name: self.name.clone(),
            model_version: self.version.clone(),
            id,
            outputs,
        })
    }

    fn model(&self) -> Result<&Arc<Model>, Problem> {
        self.model
            .get()
            .ok_or_else(|| Problem::Loading(self.name.clone()))
    }
}
