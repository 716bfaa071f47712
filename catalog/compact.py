"""Makes data/CLOUD.txt from instances.csv, prices.csv and regions.csv in a folder.

    python3 catalog/compact.py FOLDER

The layout of the CSV files and of what is made of them is in docs/catalog.md. Same input, same
bytes; nothing but the standard library is needed.
"""

import csv
import sys
from collections import Counter, defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

MICRO = Decimal("0.000001")
# Derived prices have six significant digits: half of the last one, at worst.
CLOSE = Decimal("0.000005")

# Where each price list comes from and of which day it is: shown by `isobar offers`.
SOURCES = {
    "aws": [
        ("on-demand", "2026-07-20", "aws/karpenter-provider-aws, zz_generated.pricing_aws.go at 1d927085dd81 (us-east-1); other regions by the ratios of three types in skypilot-org/skypilot-catalog v6 at 001367d22a00"),
        ("spot", "2026-07-20", "by the ratios of the same three types"),
        ("managed", "2025-02-01", "SageMaker hosting: FMBench 2.1.1 pricing.yml; others by the ratios of those (CPU 1.20, GPU 1.25, small g4dn and g5 1.40, p and trn 1.15, inf 1.20)"),
    ],
    "azure": [
        ("on-demand", "2026-06-18", "Azure/karpenter-provider-azure, zz_generated.pricing.go at 352646f59929"),
        ("spot", "2026-06-18", "by the ratios of the United States in skypilot-org/skypilot-catalog v6 at 098741e70562; old and optimistic for GPUs"),
        ("managed", "2026-06-18", "Azure ML endpoints: the price of the machine; types by MicrosoftDocs/azure-ai-docs at 1d987e37c168"),
    ],
    "gcp": [
        ("on-demand", "2026-08-01", "cloudpilot-ai/karpenter-provider-gcp, initial-prices.json at 417f047b1175"),
        ("spot", "2026-08-01", "the same"),
        ("managed", "2026-08-01", "Vertex AI: 1.15 times the machine, to be checked"),
    ],
}

# What the columns `carbon_source` stand for.
CARBON = {
    "ccf": ("2024-03-01", "cloud-carbon-footprint at b7a049c7d25c: EPA eGRID, EEA, carbonfootprint.com"),
    "google-region-carbon-2024": ("2024-12-31", "GoogleCloudPlatform/region-carbon-info, yearly/2024.csv at 49f3f26bfd68"),
}

# The country of each region, as the clouds tell it in their lists of regions.
COUNTRIES = {
    "aws": """af-south-1 ZA ap-east-1 HK ap-northeast-1 JP ap-northeast-2 KR ap-northeast-3 JP
        ap-south-1 IN ap-southeast-1 SG ap-southeast-2 AU ap-southeast-3 ID ca-central-1 CA
        cn-north-1 CN cn-northwest-1 CN eu-central-1 DE eu-north-1 SE eu-south-1 IT eu-west-1 IE
        eu-west-2 GB eu-west-3 FR me-central-1 AE me-south-1 BH sa-east-1 BR us-east-1 US
        us-east-2 US us-gov-east-1 US us-gov-west-1 US us-west-1 US us-west-2 US""",
    "azure": """australiaeast AU australiasoutheast AU brazilsouth BR canadacentral CA
        canadaeast CA centralindia IN centralus US eastasia HK eastus US eastus2 US
        francecentral FR germanywestcentral DE israelcentral IL italynorth IT japaneast JP
        japanwest JP koreacentral KR northcentralus US northeurope IE norwayeast NO
        polandcentral PL qatarcentral QA southafricanorth ZA southcentralus US southeastasia SG
        southindia IN spaincentral ES swedencentral SE switzerlandnorth CH uaenorth AE uksouth GB
        ukwest GB westcentralus US westeurope NL westus US westus2 US westus3 US""",
    "gcp": """africa-south1 ZA asia-east1 TW asia-east2 HK asia-northeast1 JP asia-northeast2 JP
        asia-northeast3 KR asia-south1 IN asia-south2 IN asia-southeast1 SG asia-southeast2 ID
        asia-southeast3 TH australia-southeast1 AU australia-southeast2 AU europe-central2 PL
        europe-north1 FI europe-north2 SE europe-southwest1 ES europe-west1 BE europe-west10 DE
        europe-west12 IT europe-west2 GB europe-west3 DE europe-west4 NL europe-west6 CH
        europe-west8 IT europe-west9 FR me-central1 QA me-central2 SA me-west1 IL
        northamerica-northeast1 CA northamerica-northeast2 CA northamerica-south1 MX
        southamerica-east1 BR southamerica-west1 CL us-central1 US us-central2 US us-east1 US
        us-east2 US us-east4 US us-east5 US us-south1 US us-west1 US us-west2 US us-west3 US
        us-west4 US""",
}


def countries(cloud):
    words = COUNTRIES[cloud].split()
    return dict(zip(words[::2], words[1::2]))


def rows(folder, name):
    with open(folder / name, newline="") as file:
        return list(csv.DictReader(file))


def micros(text):
    """A price to the millionth of a dollar; the CSV has six significant digits."""
    return Decimal(text).quantize(MICRO, ROUND_HALF_UP)


def short(number):
    """The shortest text: 0.340000 is .34, 12.000000 is 12."""
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return text[1:] if text.startswith("0.") else text


def ratio(priced, column):
    """The factor that most of a column's derived prices have in common, if three of them do."""
    found = Counter()
    for row in priced:
        if row[column] and basis(row, column) == "derived":
            quotient = Decimal(row[column]) / Decimal(row["on_demand_usd_h"])
            found[quotient.quantize(Decimal("0.001"))] += 1
    return next((factor for factor, count in found.most_common(1) if count >= 3), None)


def basis(row, column):
    return row[{"on_demand_usd_h": "price_basis", "spot_usd_h": "spot_basis", "managed_usd_h": "managed_basis"}[column]]


def price(row, column):
    return short(micros(row[column])) + ("~" if basis(row, column) == "derived" else "")


def column_line(letter, column, by_region, regions):
    """The prices of one type in the order of the regions; `-` where there is none."""
    cells = [price(by_region[region], column) if region in by_region and by_region[region][column] else "-" for region in regions]
    return None if set(cells) == {"-"} else f"{letter} {' '.join(cells)}"


def factor_line(letter, column, by_region, factor):
    """A factor on the on-demand prices, and the regions where it does not give the price."""
    others = []
    for region, row in sorted(by_region.items()):
        made = (micros(row["on_demand_usd_h"]) * factor).quantize(MICRO, ROUND_HALF_UP)
        told = row[column] and micros(row[column])
        if not told:
            others.append(f"{region}=-")
        elif basis(row, column) != "derived" or abs(made - told) > told * CLOSE:
            others.append(f"{region}={price(row, column)}")
    return " ".join([f"{letter} *{short(factor)}", *others])


def lines_of_type(instance, by_region, regions):
    accelerator = "-"
    if instance["accelerator"]:
        accelerator = ":".join([instance["accelerator"].lower(), instance["accelerator_count"], instance["accelerator_mem_gib"]])
    arch = {"x86_64": "amd64", "arm64": "arm64"}[instance["arch"]]
    managed = instance["managed_type"] or "-"
    name = instance["instance_type"]
    yield f"type {name} {instance['vcpu']} {instance['memory_gib']} {accelerator} {arch} {'=' if managed == name else managed}"
    on_demand = column_line("o", "on_demand_usd_h", by_region, regions)
    yield on_demand
    for letter, column in [("s", "spot_usd_h"), ("m", "managed_usd_h")]:
        factor = ratio(by_region.values(), column)
        plain = column_line(letter, column, by_region, regions)
        if plain and plain[2:] == on_demand[2:]:
            plain = f"{letter} ="
        elif plain and factor:
            plain = min(plain, factor_line(letter, column, by_region, factor), key=len)
        if plain:
            yield plain


def cloud_text(cloud, tables):
    instances, prices, grids = tables
    by_type = defaultdict(dict)
    for row in prices:
        if row["cloud"] == cloud:
            by_type[row["instance_type"]][row["region"]] = row
    lines = ["isobar-catalog 1"]
    lines += [f"source {what} {date} {text}" for what, date, text in SOURCES[cloud]]
    mine = [grid for grid in grids if grid["cloud"] == cloud]
    used = sorted({grid["carbon_source"] for grid in mine if grid["carbon_source"]})
    lines += [f"source {name} {CARBON[name][0]} {CARBON[name][1]}" for name in used]
    country = countries(cloud)
    for grid in mine:
        told = grid["carbon_g_per_kwh"]
        where = grid["carbon_basis"].replace(" ", "-") if told else "-"
        lines.append(" ".join(["region", grid["region"], country[grid["region"]], told or "-", grid["pue"] or "-", grid["carbon_source"] or "-", where]))
    regions = [grid["region"] for grid in mine]
    for instance in instances:
        if instance["cloud"] == cloud and instance["instance_type"] in by_type:
            lines += lines_of_type(instance, by_type[instance["instance_type"]], regions)
    return "\n".join(lines) + "\n"


def main():
    folder = Path(sys.argv[1])
    tables = [rows(folder, name) for name in ("instances.csv", "prices.csv", "regions.csv")]
    for cloud in SOURCES:
        path = Path(__file__).parent / "data" / f"{cloud}.txt"
        path.write_text(cloud_text(cloud, tables))
        print(path.name, path.stat().st_size)


if __name__ == "__main__":
    main()
