"""Models, configurations, lists and marks."""

from cloud import (
    ROLE,
    IMAGE,
    advance,
    conditions,
    configuration,
    connect,
    described,
    model,
    refused,
    same,
    variant,
)


def models():
    client = connect("sagemaker")
    arn = model(client, Tags=[{"Key": "isobar-id", "Value": "a"}])["ModelArn"]
    same(arn, "arn:aws:sagemaker:us-east-1:123456789012:model/m1")
    refused("ValidationException", "Cannot create already existing model", model, client=client)
    answer = client.describe_model(ModelName="m1")
    same(answer["PrimaryContainer"]["Image"], IMAGE)
    same((answer["ModelArn"], answer["EnableNetworkIsolation"]), (arn, False))
    missing = f'Could not find model "{arn}2".'
    refused("ValidationException", missing, client.describe_model, ModelName="m12")
    refused("ValidationException", missing, client.delete_model, ModelName="m12")
    other = connect("sagemaker", region="eu-central-1")
    refused("ValidationException", "eu-central-1", other.describe_model, ModelName="m1")
    refused("ValidationException", "region eu-central-1", model, client=other)
    refused("ValidationException", "Exactly one", client.create_model, ModelName="m2")
    conditions(missing_roles=[ROLE])
    refused("ValidationException", f"Could not assume role {ROLE}", model, client=client, name="m3")
    same(client.delete_model(ModelName="m1")["ResponseMetadata"]["HTTPStatusCode"], 200)
    same(client.list_models()["Models"], [])

def configurations():
    client = connect("sagemaker")
    refused("ValidationException", "Could not find model", configuration, client=client, name="c")
    model(client)
    capture = {
        "EnableCapture": True,
        "InitialSamplingPercentage": 10,
        "DestinationS3Uri": "s3://capture/e",
        "CaptureOptions": [{"CaptureMode": "Input"}],
    }
    given = variant(weight=0.8, VolumeSizeInGB=64, ContainerStartupHealthCheckTimeoutInSeconds=600)
    serverless = {
        "VariantName": "spare",
        "ModelName": "m1",
        "ServerlessConfig": {"MemorySizeInMB": 2048, "MaxConcurrency": 5},
    }
    arn = configuration(client, "c1", given, serverless, DataCaptureConfig=capture)
    same(arn["EndpointConfigArn"].split(":")[-1], "endpoint-config/c1")
    answer = client.describe_endpoint_config(EndpointConfigName="c1")
    first, second = answer["ProductionVariants"]
    # Weights are kept in single precision, as the service does it.
    same(first, {**given, "InitialVariantWeight": 0.800000011920929})
    same(second["InitialVariantWeight"], 1.0)
    same(answer["DataCaptureConfig"], capture)
    refused(
        "ValidationException", "Cannot create already existing endpoint configuration",
        configuration, client=client, name="c1",
    )
    twice = [variant(), variant()]
    refused("ValidationException", "two variants", client.create_endpoint_config,
            EndpointConfigName="c2", ProductionVariants=twice)
    refused("ValidationException", "greater than 0", client.create_endpoint_config,
            EndpointConfigName="c2", ProductionVariants=[variant(weight=0)])
    shadow = [variant("shadow")]
    configuration(client, "c3", variant(), ShadowProductionVariants=shadow)
    client.create_endpoint(EndpointName="e", EndpointConfigName="c3")
    advance(240)
    answer = described(client, "InService")
    same([one["VariantName"] for one in answer["ShadowProductionVariants"]], ["shadow"])
    same([one["VariantName"] for one in answer["ProductionVariants"]], ["blue"])
    client.delete_endpoint_config(EndpointConfigName="c1")
    refused("ValidationException", "Could not find endpoint configuration",
            client.describe_endpoint_config, EndpointConfigName="c1")

def lists():
    client = connect("sagemaker")
    for number in range(23):
        model(client, f"m{number:02}")
        configuration(client, f"c{number:02}", variant(of=f"m{number:02}"))
        client.create_endpoint(EndpointName=f"e{number:02}", EndpointConfigName=f"c{number:02}")
        advance(60)
    same(len(client.list_endpoints()["Endpoints"]), 10)

    def names(operation, member, key, **arguments):
        pages = client.get_paginator(operation).paginate(**arguments)
        return [one[key] for page in pages for one in page[member]]

    newest_first = [f"e{number:02}" for number in reversed(range(23))]
    same(names("list_endpoints", "Endpoints", "EndpointName"), newest_first)
    same(
        names("list_models", "Models", "ModelName", SortBy="Name", SortOrder="Ascending",
              PaginationConfig={"PageSize": 7}),
        [f"m{number:02}" for number in range(23)],
    )
    same(
        names("list_endpoint_configs", "EndpointConfigs", "EndpointConfigName", NameContains="1"),
        [f"c{n:02}" for n in reversed(range(23)) if "1" in f"{n:02}"],
    )
    creating = names("list_endpoints", "Endpoints", "EndpointName", StatusEquals="Creating",
                     SortBy="Name", SortOrder="Ascending")
    same(creating, ["e20", "e21", "e22"])
    created = client.describe_endpoint(EndpointName="e05")["CreationTime"]
    before = names("list_endpoints", "Endpoints", "EndpointName", CreationTimeBefore=created)
    same(sorted(before), [f"e{number:02}" for number in range(5)])
    # A page that was left is found again although what came before it is gone.
    first = client.list_models(SortBy="Name", SortOrder="Ascending", MaxResults=3)
    advance(240)
    client.delete_endpoint(EndpointName="e01")
    advance(60)
    client.delete_model(ModelName="m01")
    rest = client.list_models(SortBy="Name", SortOrder="Ascending", MaxResults=3,
                              NextToken=first["NextToken"])
    same([one["ModelName"] for one in rest["Models"]], ["m03", "m04", "m05"])
    refused("ValidationException", "NextToken", client.list_models, NextToken="?")

def tags():
    client = connect("sagemaker")
    arn = model(client, Tags=[{"Key": "isobar-id", "Value": "a"}])["ModelArn"]
    same(client.list_tags(ResourceArn=arn)["Tags"], [{"Key": "isobar-id", "Value": "a"}])
    many = [{"Key": f"k{number:02}", "Value": "v"} for number in range(49)]
    client.add_tags(ResourceArn=arn, Tags=many)
    pages = client.get_paginator("list_tags").paginate(ResourceArn=arn)
    same(len([tag for page in pages for tag in page["Tags"]]), 50)
    refused("ValidationException", "limit of 50", client.add_tags, ResourceArn=arn,
            Tags=[{"Key": "more", "Value": "v"}])
    client.delete_tags(ResourceArn=arn, TagKeys=[tag["Key"] for tag in many])
    same(len(client.list_tags(ResourceArn=arn)["Tags"]), 1)
    refused("ValidationException", "Could not find endpoint", client.list_tags,
            ResourceArn=arn.replace("model/m1", "endpoint/m1"))
    configuration(client, "c1", Tags=[{"Key": "a", "Value": "1"}])
    endpoint = client.create_endpoint(EndpointName="e", EndpointConfigName="c1",
                                      Tags=[{"Key": "b", "Value": "2"}])["EndpointArn"]
    same(client.list_tags(ResourceArn=endpoint)["Tags"], [{"Key": "b", "Value": "2"}])
    same(
        client.list_tags(ResourceArn=endpoint.replace("endpoint/e", "endpoint-config/c1"))["Tags"],
        [{"Key": "a", "Value": "1"}],
    )
