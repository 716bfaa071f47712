"""Endpoints: what they do, what goes wrong, and what stands in the way."""

from botocore.exceptions import WaiterError

from cloud import (
    IMAGE,
    REGION,
    TYPE,
    admin,
    advance,
    conditions,
    configuration,
    connect,
    described,
    fleet,
    model,
    refused,
    same,
    serving,
    state,
    variant,
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
    told = connect("service-quotas")
    listed, = told.list_service_quotas(ServiceCode="sagemaker")["Quotas"]
    same((listed["QuotaName"], listed["Value"]), (f"{TYPE} for endpoint usage", 5.0))
    code = listed["QuotaCode"]
    same(told.get_service_quota(ServiceCode="sagemaker", QuotaCode=code)["Quota"], listed)
    refused("NoSuchResourceException", "does not exist", told.get_service_quota,
            ServiceCode="sagemaker", QuotaCode="L-0")
    # Another region has quotas of its own.
    other = connect("sagemaker", region="eu-central-1")
    model(other, image=IMAGE.replace(REGION, "eu-central-1"))
    configuration(other, "c1", variant(count=50))
    other.create_endpoint(EndpointName="e", EndpointConfigName="c1")
