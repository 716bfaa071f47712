//! What a zone's configuration says about the instances that are sold there.

use isobar_sdk::deployment::Offer;
use isobar_sdk::quantity::{Micros, parse_bytes};

use super::spec::{Noun, Wrong};

/// What an `offer` block says; what it leaves out stays as the provider or the catalogue tells it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OfferSpec {
    /// Instance type.
    pub instance: String,
    /// On-demand price of one hour.
    pub price: Option<Micros>,
    /// Price of one hour that the platform may end.
    pub spot: Option<Micros>,
    /// Virtual processors.
    pub cpu: Option<f64>,
    /// Bytes.
    pub memory: Option<u64>,
    /// Accelerators: their type and how many.
    pub gpu: Option<(String, u32)>,
    /// Mean power under load.
    pub watts: Option<f64>,
    /// How many the zone may have.
    pub limit: Option<u32>,
}

impl OfferSpec {
    /// Reads a block that stands in a zone.
    pub(super) fn read(noun: &Noun<'_>) -> Result<Self, Wrong> {
        let memory = noun.text("memory").map(|text| {
            parse_bytes(&text).map_err(|reason| Wrong::new(&noun.path("memory"), reason))
        });
        let gpu = noun.block("gpu").map(|gpu| -> Result<_, Wrong> {
            let count = gpu.count("count")?.unwrap_or(1);
            Ok((gpu.text("type").unwrap_or_default(), count))
        });
        Ok(Self {
            instance: noun.text("instance").unwrap_or_default(),
            price: noun.dollars("price")?,
            spot: noun.dollars("spot_price")?,
            cpu: noun.amount("cpu")?,
            memory: memory.transpose()?,
            gpu: gpu.transpose()?,
            watts: noun.amount("watts")?,
            limit: noun.count("limit")?,
        })
    }

    /// Corrects what is sold under this name; where nothing is, it is sold from now on.
    pub(super) fn correct(&self, offers: &mut Vec<Offer>) {
        let found = offers.iter_mut().find(|o| o.instance == self.instance);
        let Some(offer) = found else {
            offers.extend(self.whole());
            return;
        };
        offer.price = self.price.unwrap_or(offer.price);
        offer.spot = self.spot.or(offer.spot);
        offer.cpu = self.cpu.unwrap_or(offer.cpu);
        offer.memory = self.memory.unwrap_or(offer.memory);
        if self.gpu.is_some() {
            offer.gpu.clone_from(&self.gpu);
        }
        offer.watts = self.watts.or(offer.watts);
    }

    /// As all that is known of an instance; `None` without a price. What is not told of its size
    /// is taken to be enough.
    fn whole(&self) -> Option<Offer> {
        Some(Offer {
            instance: self.instance.clone(),
            cpu: self.cpu.unwrap_or(f64::INFINITY),
            memory: self.memory.unwrap_or(u64::MAX),
            gpu: self.gpu.clone(),
            architecture: None,
            price: self.price?,
            spot: self.spot,
            watts: self.watts,
            quota: None,
        })
    }
}
