"""Automatic scaling: targets, policies and scheduled actions."""

from cloud import (
    REGION,
    admin,
    advance,
    configuration,
    connect,
    described,
    fleet,
    refused,
    same,
    serving,
    variant,
)


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
