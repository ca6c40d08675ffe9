"""Pod templates."""

from __future__ import annotations

from .snippet import Snippet, accepted, differs, refused

_MAIN = "k8s.V1PodSpec(containers=[k8s.V1Container(name='main')])"
_TWO = "k8s.V1PodSpec(containers=[k8s.V1Container(name='a'), k8s.V1Container(name='b')])"
_WITH_PRIMARY = "k8s.V1PodSpec(containers=[k8s.V1Container(name='x'), k8s.V1Container(name='primary')])"
_UNPRIVILEGED = (
    "PodTemplate(k8s.V1PodSpec(containers=[k8s.V1Container(name='primary', "
    "security_context=k8s.V1SecurityContext(privileged=False))]))"
)
_PRIVILEGED = _UNPRIVILEGED.replace("privileged=False", "privileged=True")
_ESCALATES = _UNPRIVILEGED.replace("privileged=False", "allow_privilege_escalation=True")

SNIPPETS: list[Snippet] = [
    *accepted(
        "PodTemplate()",
        "PodTemplate(primary_container_name='main').primary_container_name",
        "PodTemplate(labels={'a': 'b'}, annotations={'c': 'd'})",
        f"PodTemplate(pod_spec={_MAIN}).pod_spec",
        f"PodTemplate({_MAIN}) == PodTemplate({_MAIN})",
        "PodTemplate(labels={'a': 'b'}) == PodTemplate()",
        f"PodTemplate.from_spec({_MAIN})",
        f"PodTemplate.from_spec({_WITH_PRIMARY}).primary_container_name",
        f"PodTemplate.from_spec({_TWO}, primary_container_name='b').primary_container_name",
        f"PodTemplate.from_spec({_MAIN}, labels={{'a': 'b'}}, annotations={{'c': 'd'}}).labels",
        f"s = {_MAIN}; t = PodTemplate.from_spec(s); s.node_name = 'x'; t.pod_spec.node_name",
        "PodTemplate().with_termination_grace_period(60)",
        "PodTemplate().with_termination_grace_period(timedelta(minutes=2)).pod_spec.termination_grace_period_seconds",
        "PodTemplate().with_termination_grace_period(timedelta(seconds=1.5)).pod_spec.termination_grace_period_seconds",
        "PodTemplate().with_termination_grace_period(0).pod_spec.termination_grace_period_seconds",
        f"PodTemplate.from_spec({_MAIN}).with_termination_grace_period(5).pod_spec",
        "PodTemplate().with_termination_grace_period(5).with_termination_grace_period(6).pod_spec.termination_grace_period_seconds",
        "t = PodTemplate(); t.with_termination_grace_period(5); t.pod_spec",
        "PodTemplate().allow_fuse()",
        "PodTemplate().allow_fuse(privileged=True)",
        "PodTemplate().allow_fuse() == PodTemplate().allow_fuse().allow_fuse()",
        f"PodTemplate.from_spec({_MAIN}).allow_fuse().pod_spec.containers[0].resources.limits",
        f"t = PodTemplate.from_spec({_MAIN}); t.allow_fuse(); t.pod_spec.containers[0].security_context",
        "PodTemplate().allow_nested_sandboxing()",
        "PodTemplate().allow_nested_sandboxing() == PodTemplate().allow_nested_sandboxing().allow_nested_sandboxing()",
        "PodTemplate().allow_fuse().allow_nested_sandboxing()",
        "PodTemplate(labels={'a': 'b'}, annotations={'c': 'd'}).allow_nested_sandboxing().annotations",
        f"PodTemplate({_TWO}, 'b').allow_fuse().pod_spec.containers[1].security_context.capabilities.add",
        "env(pod_template='gpu-pods').pod_template",
        "env(pod_template=PodTemplate()).pod_template",
        "env(pod_template='a').task(pod_template='b')(coro).pod_template",
        "task().override(pod_template=PodTemplate(labels={'a': 'b'})).pod_template.labels",
    ),
    *refused(
        "ValueError: containers",
        f"PodTemplate.from_spec({_TWO})",
        f"PodTemplate.from_spec({_TWO}, primary_container_name='c')",
    ),
    *refused("ValueError", "PodTemplate.from_spec(k8s.V1PodSpec(containers=[]))"),
    *refused(
        "ValueError: allow",
        f"{_UNPRIVILEGED}.allow_fuse(privileged=True)",
        "PodTemplate().allow_nested_sandboxing().allow_fuse(privileged=True)",
        "PodTemplate().allow_fuse(privileged=True).allow_nested_sandboxing()",
        f"{_PRIVILEGED}.allow_nested_sandboxing()",
        f"{_ESCALATES}.allow_nested_sandboxing()",
    ),
    *refused(
        "ValueError: AppArmor",
        "PodTemplate(annotations={'container.apparmor.security.beta.kubernetes.io/primary': 'runtime/default'}).allow_nested_sandboxing()",
    ),
    *refused(
        "ValueError",
        "PodTemplate().with_termination_grace_period(-1)",
        "PodTemplate().with_termination_grace_period(timedelta(-1))",
    ),
    *refused(
        "TypeError",
        "PodTemplate().with_termination_grace_period('5')",
        "PodTemplate().with_termination_grace_period(True)",
        "PodTemplate().with_termination_grace_period(1.5)",
        "PodTemplate().with_termination_grace_period(None)",
        "PodTemplate().with_termination_grace_period()",
        "PodTemplate(bogus=1)",
        "env(pod_template=3)",
        "env(pod_template={'containers': []})",
    ),
    *differs(
        "pod-dict",
        "PodTemplate({'containers': [{'name': 'primary'}]}).allow_fuse().annotations",
        flyte="AttributeError",
        ours="{'flyte.org/capability-fuse': 'true'}",
    ),
    *differs(
        "pod-dict",
        "PodTemplate.from_spec({'containers': [{'name': 'main'}]}).primary_container_name",
        flyte="AttributeError",
        ours="'main'",
    ),
    *differs(
        "pod-fields",
        "PodTemplate({'tolerationz': []}).pod_spec",
        flyte="{'tolerationz': []}",
        ours="ValueError: did you mean 'tolerations'",
    ),
    *differs(
        "pod-fields",
        "PodTemplate({'containers': [{'name': 'primary', 'imagee': 'x'}]}).pod_spec",
        flyte="accepted",
        ours="ValueError: containers[0].imagee",
    ),
    *differs(
        "pod-fields",
        "PodTemplate({'containers': {'name': 'primary'}}).pod_spec",
        flyte="accepted",
        ours="TypeError: a list",
    ),
    *differs("pod-fields", "PodTemplate(3).pod_spec", flyte="3", ours="TypeError: V1PodSpec"),
    *differs(
        "pod-primary",
        f"env(pod_template=PodTemplate({_TWO})).pod_template.primary_container_name",
        flyte="'primary'",
        ours="ValueError: No primary container",
    ),
    *differs("garbage", "PodTemplate(labels={'a': 1}).labels", flyte="{'a': 1}", ours="TypeError: labels"),
    *differs(
        "garbage",
        "PodTemplate(primary_container_name=3).primary_container_name",
        flyte="3",
        ours="TypeError: primary_container_name",
    ),
    *differs("garbage", "task(pod_template=3).pod_template", flyte="3", ours="TypeError: pod_template"),
    *differs("garbage", "task().override(pod_template=3).pod_template", flyte="3", ours="TypeError: pod_template"),
    *differs("frozen", "t = PodTemplate(); t.labels = {}; t.labels", flyte="{}", ours="AttributeError"),
    *differs(
        "frozen", f"s = {_MAIN}; t = PodTemplate(s); s.node_name = 'x'; t.pod_spec.node_name", flyte="'x'", ours="None"
    ),
]
