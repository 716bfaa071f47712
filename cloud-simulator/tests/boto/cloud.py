"""The simulator as cases see it: clients of AWS whose exchanges are judged, and the hand from outside."""

import json
import sys
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

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
    service = model.service_model.signing_name.replace("servicequotas", "service-quotas")
    name = f"{service}.{model.name}"
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
                "AccessDeniedException",
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
