"""Drives the cloud simulator with the clients of AWS: `judge.py CASE URL [CONTRACT]`.

Each case gets a simulator of its own, whose clock stands still until it is moved. With a contract,
every request that the clients send and every answer that they get is held against it, here and
apart from what the simulator itself does with it.
"""

import json
import sys
import urllib.error
import urllib.request

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    EndpointConnectionError,
    WaiterError,
)

URL = sys.argv[2]
CONTRACT = json.load(open(sys.argv[3])) if len(sys.argv) > 3 else None
REGION = "us-east-1"
ROLE = "arn:aws:iam::123456789012:role/models"
IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/ranker:7"
TYPE = "ml.g5.xlarge"
CHECKED = {"requests": 0, "answers": 0, "errors": 0}


# The hand from outside.


def admin(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{URL}/_simulator/{path}", data=data, method=method)
    return json.load(urllib.request.urlopen(request))


def advance(seconds):
    admin("PUT", "clock", {"advance": seconds})


def conditions(**of):
    admin("PUT", "conditions", {REGION: of})


def state():
    return admin("GET", "state")["regions"].get(REGION, {})


# Clients whose exchanges are judged.


def schema(reference):
    return {"$ref": reference, "$defs": CONTRACT["$defs"]}


def violations(reference, value):
    import jsonschema

    validator = jsonschema.Draft202012Validator(schema(reference))
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]


def operation(model):
    name = f"{model.service_model.signing_name}.{model.name}"
    found = CONTRACT["operations"].get(name, {})
    return found if found.get("target") else None


def judge(client):
    def sent(request, **_):
        target = (request.headers.get("X-Amz-Target") or b"").decode()
        for of in CONTRACT["operations"].values():
            if target and of.get("target") == target and of["request"]:
                wrong = violations(of["request"], json.loads(request.body))
                assert not wrong, (target, wrong)
                CHECKED["requests"] += 1

    def received(response_dict, context, **_):
        if response_dict is None:
            return
        of = context.get("judged")
        if not of:
            return
        body = response_dict["body"]
        if response_dict["status_code"] == 200:
            if of["responses"]["200"]:
                wrong = violations(of["responses"]["200"], json.loads(body or b"{}"))
                assert not wrong, (of["target"], wrong)
                CHECKED["answers"] += 1
        else:
            code = json.loads(body)["__type"]
            of_any_service = {
                "ExpiredTokenException",
                "InternalFailure",
                "InvalidSignatureException",
                "ThrottlingException",
                "UnrecognizedClientException",
                "ValidationException",
            }
            # SageMaker's model names it only where it has to do with experiments.
            known = of_any_service | {"ResourceInUse"} | set(of["errors"])
            assert code in known, (of["target"], code)
            CHECKED["errors"] += 1

    def began(params, model, context, **_):
        context["judged"] = operation(model)

    if CONTRACT:
        client.meta.events.register("before-call", began)
        client.meta.events.register("before-send", sent)
        client.meta.events.register("response-received", received)
    return client


def connect(service, attempts=1, validation=True, region=REGION, key=("test", "test"), timeout=60):
    client = boto3.client(
        service,
        endpoint_url=URL,
        region_name=region,
        aws_access_key_id=key[0],
        aws_secret_access_key=key[1],
        aws_session_token=key[2] if len(key) > 2 else None,
        config=Config(
            retries={"mode": "standard", "total_max_attempts": attempts},
            parameter_validation=validation,
            read_timeout=timeout,
        ),
    )
    return judge(client) if validation else client


def refused(code, text, call, **arguments):
    try:
        answer = call(**arguments)
    except ClientError as error:
        told = error.response["Error"]
        assert told["Code"] == code, told
        assert text in told["Message"], told
        return error.response
    raise AssertionError(f"not refused: {answer}")


def same(left, right):
    assert left == right, f"{left!r} is not {right!r}"


# What most cases begin with.


def model(client, name="m1", image=IMAGE, **more):
    container = {"Image": image, "ModelDataUrl": "s3://models/ranker.tar.gz"}
    return client.create_model(
        ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE, **more
    )


def variant(name="blue", of="m1", count=2, weight=1, kind=TYPE, **more):
    return {
        "VariantName": name,
        "ModelName": of,
        "InitialInstanceCount": count,
        "InstanceType": kind,
        "InitialVariantWeight": weight,
        **more,
    }


def configuration(client, name, *variants, **more):
    return client.create_endpoint_config(
        EndpointConfigName=name, ProductionVariants=list(variants) or [variant()], **more
    )


def serving(client, *variants):
    """An endpoint `e` in service with configuration `c1` of model `m1`."""
    model(client)
    configuration(client, "c1", *variants)
    client.create_endpoint(EndpointName="e", EndpointConfigName="c1")
    advance(240)
    return described(client, "InService")


def described(client, status, name="e"):
    answer = client.describe_endpoint(EndpointName=name)
    same(answer["EndpointStatus"], status)
    return answer


def fleet(answer):
    """Current and desired weight and count by variant."""
    return {
        one["VariantName"]: (
            one["CurrentWeight"],
            one["DesiredWeight"],
            one.get("CurrentInstanceCount"),
            one.get("DesiredInstanceCount"),
        )
        for one in answer["ProductionVariants"]
    }


# The cases.


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


def waiters():
    client = connect("sagemaker")
    model(client)
    configuration(client, "c1")
    admin("PUT", "clock", {"per_call": 30})
    client.create_endpoint(EndpointName="e", EndpointConfigName="c1")
    patience = {"Delay": 0, "MaxAttempts": 20}
    client.get_waiter("endpoint_in_service").wait(EndpointName="e", WaiterConfig=patience)
    client.delete_endpoint(EndpointName="e")
    client.get_waiter("endpoint_deleted").wait(EndpointName="e", WaiterConfig=patience)
    conditions(unhealthy_images=[IMAGE])
    client.create_endpoint(EndpointName="e", EndpointConfigName="c1")
    try:
        client.get_waiter("endpoint_in_service").wait(EndpointName="e", WaiterConfig=patience)
        raise AssertionError("the endpoint serves")
    except WaiterError as error:
        same(error.last_response["EndpointStatus"], "Failed")


def lifecycle():
    client = connect("sagemaker")
    model(client)
    model(client, "m2", image=IMAGE.replace(":7", ":8"))
    configuration(client, "c1", variant(count=2))
    configuration(client, "c2", variant(of="m2", count=3, weight=5))
    refused("ValidationException", "Could not find endpoint configuration",
            client.create_endpoint, EndpointName="e", EndpointConfigName="c9")
    client.create_endpoint(EndpointName="e", EndpointConfigName="c1")
    refused("ValidationException", "Cannot create already existing endpoint",
            client.create_endpoint, EndpointName="e", EndpointConfigName="c1")
    advance(239)
    answer = described(client, "Creating")
    assert "ProductionVariants" not in answer, answer
    same(answer["PendingDeploymentSummary"]["EndpointConfigName"], "c1")
    busy = "Cannot update in-progress endpoint"
    for call, arguments in [
        (client.update_endpoint, {"EndpointConfigName": "c2"}),
        (client.delete_endpoint, {}),
        (client.update_endpoint_weights_and_capacities,
         {"DesiredWeightsAndCapacities": [{"VariantName": "blue", "DesiredWeight": 2}]}),
    ]:
        refused("ValidationException", busy, call, EndpointName="e", **arguments)
    advance(1)
    answer = described(client, "InService")
    same(fleet(answer), {"blue": (1, 1, 2, 2)})
    assert "PendingDeploymentSummary" not in answer, answer
    image = answer["ProductionVariants"][0]["DeployedImages"][0]
    same(image["SpecifiedImage"], IMAGE)
    assert "/ranker@sha256:" in image["ResolvedImage"], image

    # Scaled by hand, then another configuration that leaves counts and weights alone.
    client.update_endpoint_weights_and_capacities(
        EndpointName="e",
        DesiredWeightsAndCapacities=[{"VariantName": "blue", "DesiredInstanceCount": 6}],
    )
    same(fleet(described(client, "Updating")), {"blue": (1, 1, 2, 6)})
    advance(180)
    same(fleet(described(client, "InService")), {"blue": (1, 1, 6, 6)})
    client.update_endpoint(EndpointName="e", EndpointConfigName="c2",
                           RetainAllVariantProperties=True)
    answer = described(client, "Updating")
    same(answer["EndpointConfigName"], "c1")
    coming = answer["PendingDeploymentSummary"]
    same(coming["EndpointConfigName"], "c2")
    same(coming["ProductionVariants"][0]["DesiredInstanceCount"], 6)
    for name, call in [("c1", client.delete_endpoint_config), ("c2", client.delete_endpoint_config)]:
        refused("ResourceInUse", "in use", call, EndpointConfigName=name)
    refused("ResourceInUse", "in use", client.delete_model, ModelName="m1")
    advance(300)
    answer = described(client, "InService")
    same((answer["EndpointConfigName"], fleet(answer)), ("c2", {"blue": (1, 1, 6, 6)}))

    # And one that does not, and one that keeps weights only.
    client.update_endpoint(
        EndpointName="e", EndpointConfigName="c1", RetainAllVariantProperties=True,
        ExcludeRetainedVariantProperties=[{"VariantPropertyType": "DesiredInstanceCount"}],
    )
    advance(300)
    same(fleet(described(client, "InService")), {"blue": (1, 1, 2, 2)})
    client.update_endpoint(EndpointName="e", EndpointConfigName="c2")
    advance(300)
    same(fleet(described(client, "InService")), {"blue": (5, 5, 3, 3)})
    client.delete_endpoint_config(EndpointConfigName="c1")
    client.delete_model(ModelName="m1")

    client.delete_endpoint(EndpointName="e")
    described(client, "Deleting")
    refused("ValidationException", busy, client.delete_endpoint, EndpointName="e")
    advance(60)
    refused("ValidationException", "Could not find endpoint", client.describe_endpoint,
            EndpointName="e")
    refused("ValidationException", "Could not find endpoint", client.delete_endpoint,
            EndpointName="e")
    client.delete_endpoint_config(EndpointConfigName="c2")
    client.delete_model(ModelName="m2")
    left = state()
    same([left["models"], left["configurations"], left["endpoints"]], [{}, {}, {}])


def weights():
    client = connect("sagemaker")
    serving(client, variant("blue", weight=9), variant("green", count=1, weight=1))
    adjust = client.update_endpoint_weights_and_capacities
    adjust(EndpointName="e", DesiredWeightsAndCapacities=[
        {"VariantName": "blue", "DesiredWeight": 5},
        {"VariantName": "green", "DesiredWeight": 5},
    ])
    same(fleet(described(client, "Updating")), {"blue": (9, 5, 2, 2), "green": (1, 5, 1, 1)})
    advance(30)
    same(fleet(described(client, "InService")), {"blue": (5, 5, 2, 2), "green": (5, 5, 1, 1)})
    refused("ValidationException", "production variant", adjust, EndpointName="e",
            DesiredWeightsAndCapacities=[{"VariantName": "red", "DesiredWeight": 5}])
    refused("ValidationException", "one variant", adjust, EndpointName="e",
            DesiredWeightsAndCapacities=[
                {"VariantName": "blue", "DesiredInstanceCount": 5},
                {"VariantName": "green", "DesiredInstanceCount": 5},
            ])
    described(client, "InService")
    conditions(exhausted=[TYPE])
    adjust(EndpointName="e", DesiredWeightsAndCapacities=[
        {"VariantName": "green", "DesiredInstanceCount": 4}])
    advance(180)
    answer = described(client, "InService")
    same(fleet(answer)["green"], (5, 5, 1, 1))
    assert "InsufficientInstanceCapacity" in answer["FailureReason"], answer
    # Fewer need no capacity.
    adjust(EndpointName="e", DesiredWeightsAndCapacities=[
        {"VariantName": "blue", "DesiredInstanceCount": 1}])
    advance(180)
    answer = described(client, "InService")
    same((fleet(answer)["blue"], "FailureReason" in answer), ((5, 5, 1, 1), False))


def failures():
    client = connect("sagemaker")
    model(client)
    configuration(client, "c1")
    for wrong, reason in [
        ({"missing_images": [IMAGE]}, "does not exist"),
        ({"missing_artifacts": ["s3://models/ranker.tar.gz"]}, "Could not find model data"),
        ({"unhealthy_images": [IMAGE]}, "did not pass the ping health check"),
        ({"exhausted": [TYPE]}, "InsufficientInstanceCapacity"),
    ]:
        conditions(**wrong)
        client.create_endpoint(EndpointName="e", EndpointConfigName="c1")
        described(client, "Creating")
        advance(240)
        answer = described(client, "Failed")
        assert reason in answer["FailureReason"], answer
        # A failed endpoint can only be deleted.
        refused("ValidationException", "failed endpoint", client.update_endpoint,
                EndpointName="e", EndpointConfigName="c1")
        client.delete_endpoint(EndpointName="e")
        advance(60)
    conditions()
    client.create_endpoint(EndpointName="e", EndpointConfigName="c1")
    advance(240)
    described(client, "InService")


def rollbacks():
    client = connect("sagemaker")
    serving(client)
    model(client, "m2", image=IMAGE.replace(":7", ":8"))
    configuration(client, "c2", variant(of="m2"))
    conditions(unhealthy_images=[IMAGE.replace(":7", ":8")])
    client.update_endpoint(EndpointName="e", EndpointConfigName="c2")
    advance(300)
    answer = described(client, "RollingBack")
    same(answer["EndpointConfigName"], "c1")
    refused("ValidationException", "in-progress", client.delete_endpoint, EndpointName="e")
    advance(120)
    # In service again, but not with what was asked for.
    answer = described(client, "InService")
    same(answer["EndpointConfigName"], "c1")
    assert "ping health check" in answer["FailureReason"], answer

    # An alarm in the time of baking undoes the update; later it does not.
    conditions()
    guarded = {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "WaitIntervalInSeconds": 300,
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 30},
            },
            "TerminationWaitInSeconds": 60,
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]},
    }
    client.update_endpoint(EndpointName="e", EndpointConfigName="c2", DeploymentConfig=guarded)
    advance(300)
    answer = described(client, "Updating")
    baking = answer["PendingDeploymentSummary"]["ProductionVariants"][0]["VariantStatus"]
    same(baking[0]["Status"], "Baking")
    conditions(alarms=["errors"])
    described(client, "RollingBack")
    advance(120)
    answer = described(client, "InService")
    same(answer["EndpointConfigName"], "c1")
    assert "errors" in answer["FailureReason"], answer
    conditions()
    client.update_endpoint(EndpointName="e", EndpointConfigName="c2", DeploymentConfig=guarded)
    advance(300 + 2 * 300 + 59)
    described(client, "Updating")
    advance(1)
    answer = described(client, "InService")
    same((answer["EndpointConfigName"], answer["LastDeploymentConfig"]), ("c2", guarded))
    assert "FailureReason" not in answer, answer

    # The way back can fail, too.
    conditions(unhealthy_images=[IMAGE], failing_rollbacks=["e"])
    client.update_endpoint(EndpointName="e", EndpointConfigName="c1")
    advance(300 + 120)
    described(client, "UpdateRollbackFailed")
    client.delete_endpoint(EndpointName="e")
    advance(60)
    refused("ValidationException", "Could not find", client.describe_endpoint, EndpointName="e")


def maintenance():
    client = connect("sagemaker")
    serving(client)
    configuration(client, "c2")

    def phase(of):
        admin("PUT", "phase", {"region": REGION, "endpoint": "e", "phase": of})

    phase({"maintained": 600})
    described(client, "SystemUpdating")
    refused("ValidationException", "in-progress", client.update_endpoint, EndpointName="e",
            EndpointConfigName="c2")
    refused("ValidationException", "in-progress", client.delete_endpoint, EndpointName="e")
    advance(600)
    described(client, "InService")
    phase("out_of_service")
    described(client, "OutOfService")
    phase("in_service")
    described(client, "InService")


def quotas():
    client = connect("sagemaker")
    admin("PUT", "quotas", {REGION: {TYPE: 5}})
    serving(client, variant(count=3))
    limit = (
        f"The account-level service limit '{TYPE} for endpoint usage' is 5 Instances, with current "
        "utilization of 3 Instances and a request delta of 3 Instances."
    )
    configuration(client, "c2", variant(count=3))
    # Old and new instances stand side by side in an update.
    refused("ResourceLimitExceeded", limit, client.update_endpoint, EndpointName="e",
            EndpointConfigName="c2")
    refused("ResourceLimitExceeded", limit, client.create_endpoint, EndpointName="f",
            EndpointConfigName="c2")
    refused("ResourceLimitExceeded", "delta of 4", client.update_endpoint_weights_and_capacities,
            EndpointName="e",
            DesiredWeightsAndCapacities=[{"VariantName": "blue", "DesiredInstanceCount": 7}])
    described(client, "InService")
    client.update_endpoint_weights_and_capacities(
        EndpointName="e",
        DesiredWeightsAndCapacities=[{"VariantName": "blue", "DesiredInstanceCount": 5}])
    # Another region has quotas of its own.
    other = connect("sagemaker", region="eu-central-1")
    model(other, image=IMAGE.replace(REGION, "eu-central-1"))
    configuration(other, "c1", variant(count=50))
    other.create_endpoint(EndpointName="e", EndpointConfigName="c1")


def count(endpoint="e", of="blue"):
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{of}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def autoscaling():
    client, scaling = connect("sagemaker"), connect("application-autoscaling")
    serving(client)
    for none in [count("nope"), count(of="nope")]:
        refused("ValidationException", "doesn't exist", scaling.register_scalable_target,
                MinCapacity=1, MaxCapacity=4, **none)
    refused("ValidationException", "missing", scaling.register_scalable_target, MinCapacity=1,
            **count())
    refused("ValidationException", "at least 1", scaling.register_scalable_target, MinCapacity=0,
            MaxCapacity=2, **count())
    refused("ValidationException", "above", scaling.register_scalable_target, MinCapacity=3,
            MaxCapacity=2, **count())
    arn = scaling.register_scalable_target(
        MinCapacity=1, MaxCapacity=4, Tags={"isobar-id": "a"}, **count())["ScalableTargetARN"]
    same(scaling.list_tags_for_resource(ResourceARN=arn)["Tags"], {"isobar-id": "a"})
    scaling.tag_resource(ResourceARN=arn, Tags={"b": "2"})
    scaling.untag_resource(ResourceARN=arn, TagKeys=["isobar-id"])
    same(scaling.list_tags_for_resource(ResourceARN=arn)["Tags"], {"b": "2"})
    # Registering again changes what is given and keeps the rest.
    same(scaling.register_scalable_target(MaxCapacity=8, **count())["ScalableTargetARN"], arn)
    target, = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    same((target["MinCapacity"], target["MaxCapacity"]), (1, 8))
    same(scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"], [])

    tracking = {
        "TargetValue": 70.0,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"},
        "ScaleInCooldown": 300,
        "ScaleOutCooldown": 60,
    }
    put = {"PolicyType": "TargetTrackingScaling",
           "TargetTrackingScalingPolicyConfiguration": tracking}
    refused("ObjectNotFoundException", "No scalable target", scaling.put_scaling_policy,
            PolicyName="p", **count(of="green"), **put)
    refused("ValidationException", "own configuration", scaling.put_scaling_policy,
            PolicyName="p", PolicyType="StepScaling", **count(),
            TargetTrackingScalingPolicyConfiguration=tracking)
    made = scaling.put_scaling_policy(PolicyName="p", **count(), **put)
    same(len(made["Alarms"]), 2)
    policy, = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    same(policy["TargetTrackingScalingPolicyConfiguration"], tracking)
    same(policy["PolicyARN"], made["PolicyARN"])

    # What carries a rule cannot go or run on something else.
    configuration(client, "small", variant(kind="ml.m5.large"))
    configuration(client, "other", variant("green"))
    for name in ["small", "other"]:
        refused("ValidationException", "must be deregistered", client.update_endpoint,
                EndpointName="e", EndpointConfigName=name)

    # Load drives the count, within bounds and no faster than the cooldowns allow.
    def load(per_minute):
        admin("PUT", "load", {"region": REGION, "endpoint": "e", "variant": "blue",
                              "per_minute": per_minute})

    load(270)
    same(fleet(described(client, "Updating"))["blue"], (1, 1, 2, 4))
    advance(180)
    load(5000)
    same(fleet(described(client, "Updating"))["blue"], (1, 1, 4, 8))
    advance(180)
    load(0)
    same(fleet(described(client, "Updating"))["blue"], (1, 1, 8, 1))
    advance(180)
    load(5000)
    same(fleet(described(client, "InService"))["blue"], (1, 1, 1, 1))
    advance(120)
    same(fleet(described(client, "Updating"))["blue"], (1, 1, 1, 8))
    advance(180)
    done = scaling.describe_scaling_activities(ServiceNamespace="sagemaker")["ScalingActivities"]
    same([one["Description"].split()[-1] for one in done], ["8.", "1.", "8.", "4."])
    pages = scaling.get_paginator("describe_scaling_activities").paginate(
        ServiceNamespace="sagemaker", PaginationConfig={"PageSize": 3})
    same(len([one for page in pages for one in page["ScalingActivities"]]), 4)

    # What is suspended does not happen, and nothing goes below the least.
    scaling.register_scalable_target(MinCapacity=7, SuspendedState={
        "DynamicScalingInSuspended": True}, **count())
    load(0)
    advance(600)
    same(fleet(described(client, "InService"))["blue"], (1, 1, 8, 8))
    scaling.register_scalable_target(SuspendedState={"DynamicScalingInSuspended": False}, **count())
    advance(180)
    same(fleet(described(client, "InService"))["blue"], (1, 1, 7, 7))

    refused("ObjectNotFoundException", "No scaling policy", scaling.delete_scaling_policy,
            PolicyName="q", **count())
    scaling.delete_scaling_policy(PolicyName="p", **count())
    scaling.deregister_scalable_target(**count())
    refused("ObjectNotFoundException", "No scalable target", scaling.deregister_scalable_target,
            **count())
    client.update_endpoint(EndpointName="e", EndpointConfigName="small")


def schedules():
    client, scaling = connect("sagemaker"), connect("application-autoscaling")
    admin("PUT", "clock", {"now": "2030-03-04T05:06:00Z"})
    serving(client)
    scaling.register_scalable_target(MinCapacity=1, MaxCapacity=4, **count())

    def put(name, schedule, low=None, high=None, **more):
        action = {"MinCapacity": low, "MaxCapacity": high}
        action = {key: value for key, value in action.items() if value is not None}
        return scaling.put_scheduled_action(ScheduledActionName=name, Schedule=schedule,
                                            ScalableTargetAction=action, **count(), **more)

    def bounds():
        target, = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
        return target["MinCapacity"], target["MaxCapacity"]

    for wrong in ["at(tomorrow)", "cron(99 * * * ? *)", "rate(0 minutes)", "soon"]:
        refused("ValidationException", "Schedule expression is invalid", put, name="w",
                schedule=wrong, low=1)
    refused("ValidationException", "needs a minimum", put, name="w",
            schedule="at(2030-03-04T06:00:00)")
    # It is 05:10 now.
    put("once", "at(2030-03-04T06:00:00)", low=3)
    put("berlin", "at(2030-03-04T08:00:00)", low=2, high=6, Timezone="Europe/Berlin")
    put("daily", "cron(30 8 ? * MON-FRI *)", low=5, high=9)
    put("often", "rate(6 hours)", high=7)
    names = ["berlin", "daily", "often", "once"]
    found = scaling.describe_scheduled_actions(ServiceNamespace="sagemaker")["ScheduledActions"]
    same([one["ScheduledActionName"] for one in found], names)
    same(found[1]["Schedule"], "cron(30 8 ? * MON-FRI *)")
    advance(49 * 60)
    same(bounds(), (1, 4))
    advance(60)
    same(bounds(), (3, 4))
    same(fleet(described(client, "Updating"))["blue"], (1, 1, 2, 3))
    advance(3600)
    same(bounds(), (2, 6))
    advance(90 * 60)
    same(bounds(), (5, 9))
    advance(4 * 3600)
    same(bounds(), (5, 7))
    # The next working day, after the rate has been there again and again.
    scaling.delete_scheduled_action(ScheduledActionName="often", **count())
    admin("PUT", "clock", {"now": "2030-03-05T08:29:59Z"})
    same(bounds(), (5, 7))
    advance(1)
    same(bounds(), (5, 9))
    put("daily", "cron(30 8 ? * MON-FRI *)", low=1)
    found = scaling.describe_scheduled_actions(
        ServiceNamespace="sagemaker", ScheduledActionNames=["daily"])["ScheduledActions"]
    same(found[0]["ScalableTargetAction"], {"MinCapacity": 1})
    for name in ["once", "berlin", "daily"]:
        scaling.delete_scheduled_action(ScheduledActionName=name, **count())
    refused("ObjectNotFoundException", "No scheduled action", scaling.delete_scheduled_action,
            ScheduledActionName="once", **count())


def requests():
    """What a client without checks of its own may send."""
    client = connect("sagemaker", validation=False)
    refused("ValidationException", "Value null at 'modelName' failed to satisfy constraint: "
            "Member must not be null", client.create_model)
    refused("ValidationException", "satisfy regular expression pattern", model, client=client,
            name="-m")
    refused("ValidationException", "length less than or equal to 63", model, client=client,
            name="m" * 64)
    same(raw("SageMaker.DescribeModel", {"ModelName": "m", "Colour": "red"})[1]["__type"],
         "ValidationException")
    same(raw("SageMaker.Sing", {})[1]["__type"], "UnknownOperationException")
    same(raw("SageMaker.ListModels", "[]", service="sagemaker")[1]["__type"],
         "SerializationException")
    if CONTRACT:
        model(client)
        for wrong, text in [
            ({"InstanceType": "ml.g99.huge"}, "'productionVariants.1.member.instanceType' failed "
             "to satisfy constraint: Member must satisfy enum value set"),
            ({"InitialInstanceCount": 0}, "greater than or equal to 1"),
            ({"VolumeSizeInGB": 513}, "less than or equal to 512"),
            ({"ContainerStartupHealthCheckTimeoutInSeconds": 59}, "greater than or equal to 60"),
        ]:
            refused("ValidationException", text, client.create_endpoint_config,
                    EndpointConfigName="c", ProductionVariants=[{**variant(), **wrong}])
        body = {"EndpointConfigName": "c", "ProductionVariants": [{**variant(), "Colour": "red"}]}
        _, told = raw("SageMaker.CreateEndpointConfig", body)
        assert "'productionVariants.1.member.colour'" in told["message"], told
        refused("ValidationException", "2 validation errors detected", client.create_endpoint_config,
                EndpointConfigName="c", ProductionVariants=[
                    {**variant(), "InitialInstanceCount": 0, "VolumeSizeInGB": 513}])


def raw(target, body, service="sagemaker", scope=REGION, sign=True, change=None):
    """A request that no client would send; status and answer."""
    data = body if isinstance(body, str) else json.dumps(body)
    request = AWSRequest("POST", URL + "/", data=data.encode(), headers={
        "X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.1"})
    if sign:
        SigV4Auth(Credentials("test", "test"), service, scope).add_auth(request)
    headers = {**dict(request.headers), **(change or {})}
    send = urllib.request.Request(URL + "/", data=data.encode(), headers=headers, method="POST")
    try:
        with urllib.request.urlopen(send) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def credentials():
    listing = "SageMaker.ListModels"
    same(raw(listing, {})[0], 200)
    for arguments, code in [
        ({"sign": False}, "MissingAuthenticationTokenException"),
        ({"service": "s3"}, "InvalidSignatureException"),
        ({"scope": "nowhere"}, "InvalidSignatureException"),
        ({"change": {"Authorization": "AWS4-HMAC-SHA256 nonsense"}}, "IncompleteSignatureException"),
        ({"change": {"X-Amz-Target": "SageMaker.ListEndpoints"}}, "InvalidSignatureException"),
        ({"change": {"X-Amz-Date": "20200101T000000Z"}}, "InvalidSignatureException"),
        ({"change": {"X-Amz-Security-Token": "stray"}}, "UnrecognizedClientException"),
    ]:
        status, told = raw(listing, {}, **arguments)
        same((status, told["__type"]), (403, code))
    wrong = [("nobody", "test", "UnrecognizedClientException"),
             ("test", "guessed", "InvalidSignatureException")]
    for key, secret, code in wrong:
        refused(code, "", connect("sagemaker", key=(key, secret)).list_models)
    admin("PUT", "keys", {
        "test": {"secret": "test"},
        "session": {"secret": "s", "token": "t/+="},
        "old": {"secret": "o", "token": "t", "expired": True},
    })
    connect("sagemaker", key=("session", "s", "t/+=")).list_models()
    refused("UnrecognizedClientException", "", connect("sagemaker", key=("session", "s")).list_models)
    for service in ["sagemaker", "application-autoscaling"]:
        client = connect(service, key=("old", "o", "t"))
        call = client.list_models if service == "sagemaker" else client.describe_scalable_targets
        arguments = {} if service == "sagemaker" else {"ServiceNamespace": "sagemaker"}
        refused("ExpiredTokenException", "expired", call, **arguments)
    identity = connect("sts")
    same(identity.get_caller_identity()["Account"], "123456789012")
    refused("ExpiredToken", "expired", connect("sts", key=("old", "o", "t")).get_caller_identity)
    refused("UnrecognizedClient", "", connect("sts", key=("x", "y")).get_caller_identity)


def faults():
    client = connect("sagemaker")
    model(client)
    configuration(client, "c1")

    def rule(fault, when, operation=None):
        admin("DELETE", "faults")
        admin("POST", "faults", [{"operation": operation, "when": when, "fault": fault}])

    rule("server_error", {"nth": 2}, "ListModels")
    client.list_models()
    refused("InternalFailure", "", client.list_models)
    client.list_models()
    rule("throttled", {"next": 1})
    refused("ThrottlingException", "Rate exceeded", client.list_models)
    rule("expired", {"next": 1})
    refused("ExpiredTokenException", "expired", client.list_models)

    # Clients that try again get through.
    patient = connect("sagemaker", attempts=5)
    for fault in ["server_error", "throttled", "reset_before", "reset_after"]:
        rule(fault, {"next": 2}, "ListModels")
        same(len(patient.list_models()["Models"]), 1)
    calls = admin("GET", "state")["calls"]

    def broken(call, **arguments):
        try:
            call(**arguments)
        except (ConnectionClosedError, EndpointConnectionError):
            return
        raise AssertionError("the connection holds")

    create = {"EndpointName": "e", "EndpointConfigName": "c1"}
    rule("reset_before", {"next": 1}, "CreateEndpoint")
    broken(client.create_endpoint, **create)
    refused("ValidationException", "Could not find", client.describe_endpoint, EndpointName="e")
    rule("reset_after", {"next": 1}, "CreateEndpoint")
    broken(client.create_endpoint, **create)
    described(client, "Creating")
    refused("ValidationException", "already existing", client.create_endpoint, **create)
    same(admin("GET", "state")["calls"]["CreateEndpoint"], calls.get("CreateEndpoint", 0) + 3)

    rule({"slow_body": 50}, {"next": 1})
    same(len(client.list_models()["Models"]), 1)
    import time

    rule({"slow": 300}, {"next": 1})
    began = time.monotonic()
    client.list_models()
    assert time.monotonic() - began >= 0.3

    # By chance, but the same by the same seed.
    rule("server_error", {"share": 0.3}, "ListModels")
    for _ in range(100):
        try:
            client.list_models()
        except ClientError:
            pass
    met, = admin("GET", "state")["faults"]
    same(met["calls"], 100)
    assert 15 <= met["hits"] <= 45, met
    admin("DELETE", "faults")

    admin("PUT", "limits", {"*": {"burst": 3, "per_second": 2}, "DescribeModel":
                            {"burst": 1, "per_second": 0}})
    for _ in range(3):
        client.list_models()
    refused("ThrottlingException", "Rate exceeded", client.list_models)
    client.describe_model(ModelName="m1")
    refused("ThrottlingException", "", client.describe_model, ModelName="m1")
    advance(1)
    client.list_models()
    client.list_models()
    refused("ThrottlingException", "Rate exceeded", client.list_models)
    seen = admin("GET", "calls")
    same(seen[-1]["operation"], "ListModels")
    same((seen[-1]["status"], seen[-1]["code"]), (400, "ThrottlingException"))


CASES = [models, configurations, lists, tags, waiters, lifecycle, weights, failures, rollbacks,
         maintenance, quotas, autoscaling, schedules, requests, credentials, faults]

if __name__ == "__main__":
    {case.__name__: case for case in CASES}[sys.argv[1]]()
    print(json.dumps(CHECKED))
