#!/bin/sh
# Makes the tables of docs/evaluation.md: evaluate.sh FOLDER [SEEDS], where FOLDER holds the series.
# ISOBAR names the program; a release build takes the least time.
set -eu
isobar=${ISOBAR:-target/release/isobar}
folder=$1
seeds=${2:-20}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The series that count requests or mentions, two weeks long or longer; one after the other, since
# the whole takes hours.
for name in web_nyc_taxi_1h web_tweets_amzn_5min web_nab_elb_requests_5min web_worldcup98_1h \
    web_tweets_aapl_1h web_tweets_ibm_1h web_isp_traffic_1h llm_alibaba_lora_requests_1h \
    llm_servegen_large_total_1h llm_servegen_mid_c101_10min llm_servegen_mid_c40_1h \
    llm_servegen_small_c5_1h llm_servegen_small_total_10min; do
    [ -f "$folder/$name.csv" ] || continue
    mkdir "$work/$name"
    cp "$folder/$name.csv" "$work/$name/"
    "$isobar" simulate -suite="$work/$name" -startup=60s,180s,600s -zones=6 -scale=1000 \
        -horizon=35d -survive=0.5 -seeds="$seeds"
done
