"""Requests, signatures and faults: what is below the operations."""

import json
import time
import urllib.error
import urllib.request

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError, ConnectionClosedError, EndpointConnectionError

from cloud import (
    URL,
    CONTRACT,
    REGION,
    admin,
    advance,
    configuration,
    connect,
    described,
    model,
    refused,
    same,
    variant,
)


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

    rule("denied", {"next": 1})
    refused("AccessDeniedException", "not authorized to perform: sagemaker:ListModels",
            client.list_models)
    rule("unseen", {"next": 3})
    refused("ValidationException", "Could not find endpoint configuration", client.create_endpoint,
            EndpointName="e", EndpointConfigName="c1")
    refused("ValidationException", "Could not find model", client.describe_model, ModelName="m1")
    same(len(client.list_models()["Models"]), 1)
    client.describe_model(ModelName="m1")

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
