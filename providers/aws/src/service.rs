//! The services of AWS that are called, and where they are.

use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// A service that speaks JSON over one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Service {
    /// Models and their endpoints.
    SageMaker,
    /// What scales endpoints.
    AutoScaling,
}

impl Service {
    pub(crate) const ALL: [Self; 2] = [Self::SageMaker, Self::AutoScaling];

    /// What it is called in messages.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SageMaker => "SageMaker",
            Self::AutoScaling => "Application Auto Scaling",
        }
    }

    /// What calls to it are signed for.
    pub(crate) const fn signed_as(self) -> &'static str {
        match self {
            Self::SageMaker => "sagemaker",
            Self::AutoScaling => "application-autoscaling",
        }
    }

    /// What stands before the operation in the header that names it.
    pub(crate) const fn target(self) -> &'static str {
        match self {
            Self::SageMaker => "SageMaker",
            Self::AutoScaling => "AnyScaleFrontendService",
        }
    }

    /// Where it is in a region; regions of China are in a domain of their own.
    pub(crate) fn host(self, region: &str) -> String {
        let prefix = match self {
            Self::SageMaker => "api.sagemaker",
            Self::AutoScaling => "application-autoscaling",
        };
        let domain = match region.starts_with("cn-") {
            true => "amazonaws.com.cn",
            false => "amazonaws.com",
        };
        format!("https://{prefix}.{region}.{domain}")
    }

    /// Where the environment or the profile say that it is instead: `AWS_ENDPOINT_URL_…` before
    /// `AWS_ENDPOINT_URL`.
    pub(crate) fn override_in(self, config: &SdkConfig) -> Option<String> {
        let key = ServiceConfigKey::builder()
            .service_id(self.name())
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build();
        let told = config.service_config().zip(key.ok());
        let own = told.and_then(|(told, key)| told.load_config(key));
        own.or_else(|| config.endpoint_url().map(str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use super::Service;

    #[test]
    fn hosts_are_those_of_the_region() {
        let host = |region| Service::SageMaker.host(region);
        assert_eq!(
            host("eu-west-1"),
            "https://api.sagemaker.eu-west-1.amazonaws.com"
        );
        assert_eq!(
            host("cn-north-1"),
            "https://api.sagemaker.cn-north-1.amazonaws.com.cn"
        );
        let scaling = Service::AutoScaling.host("us-east-1");
        assert_eq!(
            scaling,
            "https://application-autoscaling.us-east-1.amazonaws.com"
        );
    }
}
