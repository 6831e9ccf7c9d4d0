"""The rules of the reference deployment fire for what they are meant for, with the labels routes need."""

import subprocess

import pytest
import yaml
from reference import APP, CASES, RULES

# (metric, labels beside its job, what it is when something is wrong, and when all is well), a value a minute
METRICS = [
    ("up", "", "0x120", "1x120"),
    ("http_requests_total", "status='500'", "0+20x120", "0+1x120"),
    ("http_requests_total", "status='200'", "0+100x120", "0+100x120"),
    ("http_request_duration_seconds_bucket", "le='0.5'", "0+10x120", "0+99x120"),
    ("http_request_duration_seconds_bucket", "le='2'", "0+100x120", "0+100x120"),
    ("http_request_duration_seconds_bucket", "le='+Inf'", "0+100x120", "0+100x120"),
    ("freeagentics_system_memory_usage_bytes", "", "3000000000x120", "2000000000x120"),
    ("freeagentics_system_active_agents_total", "", "51x120", "50x120"),
    ("freeagentics_agent_errors_total", "", "0+6x120", "0+1x120"),
    ("freeagentics_belief_free_energy_current", "", "0.05x120", "5x120"),
    ("freeagentics_agent_memory_usage_bytes", "agent='a'", "32000000x120", "31000000x120"),
    ("freeagentics_agent_coordination_duration_seconds_bucket", "le='1'", "0+10x120", "0+99x120"),
    ("freeagentics_agent_coordination_duration_seconds_bucket", "le='5'", "0+100x120", "0+100x120"),
    ("freeagentics_agent_coordination_duration_seconds_bucket", "le='+Inf'", "0+100x120", "0+100x120"),
    ("freeagentics_agent_coordination_timeouts_total", "", "0+6x120", "0+1x120"),
    ("freeagentics_agent_coordination_concurrent_sessions", "", "101x120", "100x120"),
    ("freeagentics_belief_convergence_time_seconds_bucket", "le='5'", "0+10x120", "0+99x120"),
    ("freeagentics_belief_convergence_time_seconds_bucket", "le='10'", "0+100x120", "0+100x120"),
    ("freeagentics_belief_convergence_time_seconds_bucket", "le='+Inf'", "0+100x120", "0+100x120"),
    ("freeagentics_belief_prediction_errors_total", "", "0+7x120", "0+1x120"),
    ("freeagentics_belief_accuracy_ratio", "", "0.7x120", "0.9x120"),
    ("freeagentics_business_inference_operations_total", "", "0+1x120", "0+60x120"),
    ("freeagentics_system_knowledge_graph_nodes_total", "", "0+70000x120", "0+100x120"),
    ("freeagentics_security_authentication_attempts_total", "result='failure'", "0+60x120", "0+1x120"),
    ("freeagentics_security_authentication_attempts_total", "result='success'", "0+60x120", "0+60x120"),
    ("freeagentics_security_anomaly_detections_total", "", "0+1x120", "3x120"),
    ("freeagentics_security_access_violations_total", "", "0+1x120", "3x120"),
    ("freeagentics_business_user_interactions_total", "", "5x120", "0+60x120"),
    ("freeagentics_business_response_quality_score", "", "0.6x120", "0.9x120"),
    ("pg_stat_activity_count", "datname='a'", "41x120", "20x120"),
    ("pg_stat_activity_count", "datname='b'", "41x120", "20x120"),
    ("kube_pod_container_status_restarts_total", "pod='p',container='c'", "0+7x120", "1x120"),
    ("node_filesystem_avail_bytes", "mountpoint='/'", "9x120", "50x120"),
    ("node_filesystem_size_bytes", "mountpoint='/'", "100x120", "100x120"),
]
JOBS = {"pg": "postgres", "kube": "kube", "node": "node"}
LABELS = ("alertname", "severity", "category", "component", "team", "job")


def series(wrong):
    for metric, labels, bad, good in METRICS:
        job = JOBS.get(metric.partition("_")[0], APP)
        name = f"{metric}{{job='{job}',instance='i'{',' if labels else ''}{labels}}}"
        yield {"series": name, "values": bad if wrong else good}


def judged(promtool, folder, wrong, alerts, at):
    expected = [
        {"labels": "{" + ", ".join(f'{name}="{one[name]}"' for name in LABELS) + "}", "value": 1}
        for one in alerts
    ]
    expr = f"count by ({', '.join(LABELS)}) (ALERTS{{alertstate='firing'}})"
    test = {
        "interval": "1m",
        "input_series": list(series(wrong)),
        "promql_expr_test": [{"expr": expr, "eval_time": at, "exp_samples": expected}],
    }
    file = folder / "test.yml"
    rules = [str(rule) for rule in RULES]
    file.write_text(yaml.safe_dump({"rule_files": rules, "evaluation_interval": "1m", "tests": [test]}))
    done = subprocess.run([promtool, "test", "rules", file], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout + done.stderr


def test_each_fires_with_the_labels_of_its_row_when_something_is_wrong(require_peer, tmp_path):
    code, said = judged(require_peer("promtool"), tmp_path, True, [case.labels for case in CASES], "1h")
    assert code == 0, said


@pytest.mark.parametrize("at", ["10m", "2h"])
def test_none_fires_when_all_is_well(require_peer, tmp_path, at):
    code, said = judged(require_peer("promtool"), tmp_path, False, [], at)
    assert code == 0, said
