"""Cache, Secret, RetryStrategy, Backoff, Timeout, ReusePolicy, Documentation."""

from __future__ import annotations

from .snippet import Snippet, accepted, differs, refused

CACHE: list[Snippet] = [
    *accepted(
        "Cache('auto').behavior",
        "Cache(behavior='override').behavior",
        "Cache('disable').behavior",
        "Cache('enable').behavior",
        "Cache('Enabled').behavior",
        "Cache('ON').behavior",
        "Cache('true').behavior",
        "Cache('yes').behavior",
        "Cache('off').behavior",
        "Cache('False').behavior",
        "Cache('no').behavior",
        "Cache('none').behavior",
        "Cache('auto').is_enabled()",
        "Cache('override').is_enabled()",
        "Cache('disable').is_enabled()",
        "Cache('auto', 'v1').version_override",
        "Cache('auto', serialize=True).serialize",
        "Cache('auto').serialize",
        "Cache('auto', salt='s').salt",
        "Cache('auto').salt",
        "Cache('auto').ignored_inputs",
        "Cache('auto', ignored_inputs=('x',)).ignored_inputs",
        "Cache('auto', ignored_inputs='x').get_ignored_inputs()",
        "sorted(Cache('auto', ignored_inputs={'y', 'x'}).get_ignored_inputs())",
        "Cache('auto', ignored_inputs=('x', 'y')).get_ignored_inputs()",
        "Cache('auto').get_ignored_inputs()",
        "Cache('auto', max_age=60).max_age",
        "Cache('auto', max_age=0).max_age",
        "Cache('auto', max_age=timedelta(days=1)).max_age",
        "Cache('auto').max_age",
        "Cache('disable', policies=[]).behavior",
        "Cache('auto', 'v1', policies=[]).version_override",
        "isinstance(Policy(), CachePolicy)",
        "len(Cache('auto', policies=[Policy(), Policy()]).policies)",
        "len(Cache('auto', policies=Policy()).policies)",
        "Cache('auto', 'a', policies=[]) == Cache('auto', 'b', policies=[])",
    ),
    *refused(
        "ValueError: Invalid cache behavior", "Cache('always')", "Cache('')", "Cache(3)", "Cache(True)", "Cache(None)"
    ),
    *refused("ValueError", "Cache('auto', max_age=-1)", "Cache('auto', max_age=timedelta(-1))"),
    *refused("ValueError", "Cache('auto', policies=[])", "Cache('auto', policies=())"),
    *refused(
        "TypeError: max_age", "Cache('auto', max_age=True)", "Cache('auto', max_age='1h')", "Cache('auto', max_age=1.5)"
    ),
    *refused("TypeError", "Cache()", "Cache('auto', bogus=1)"),
    *differs(
        "garbage", "Cache('auto', ignored_inputs=(1,)).ignored_inputs", flyte="(1,)", ours="TypeError: ignored_inputs"
    ),
    *differs("garbage", "Cache('auto', policies=3).policies", flyte="3", ours="TypeError: get_version"),
    *differs(
        "garbage", "Cache('auto', version_override=3).version_override", flyte="3", ours="TypeError: version_override"
    ),
    *differs("garbage", "Cache('auto', salt=3).salt", flyte="3", ours="TypeError: salt"),
    *differs("garbage", "Cache('auto', serialize='no').serialize", flyte="'no'", ours="TypeError: serialize"),
    *differs("canonical", "Cache('auto', ignored_inputs='x').ignored_inputs", flyte="'x'", ours="('x',)"),
    *differs("canonical", "Cache('auto', ignored_inputs=['x']).ignored_inputs", flyte="['x']", ours="('x',)"),
    *differs("default-policy", "Cache('auto').policies", flyte="[<FunctionBodyPolicy>]", ours="None"),
    *differs("frozen", "Cache('auto', 'a') == Cache('auto', 'a')", flyte="False", ours="True"),
    *differs("frozen", "c = Cache('auto'); c.salt = 'x'; c.salt", flyte="'x'", ours="AttributeError"),
    *differs("frozen", "hash(Cache('auto')) == hash(Cache('auto'))", flyte="TypeError", ours="True"),
    *differs("nearest", "Cache('disabel')", flyte="ValueError", ours="ValueError: did you mean 'disable'"),
    *differs(
        "nearest",
        "Cache('auto', ignore_inputs='x')",
        flyte="TypeError",
        ours="TypeError: ignore_inputs: not a parameter of Cache(...)",
    ),
]

SECRET: list[Snippet] = [
    *accepted(
        "Secret('api-key')",
        "Secret('token').as_env_var",
        "Secret('a-b', 'c-d').as_env_var",
        "Secret('a', group='').as_env_var",
        "Secret('a', group='g').group",
        "Secret('a', as_env_var='TOKEN').as_env_var",
        "Secret('a', as_env_var='_A1').as_env_var",
        "Secret('a', as_env_var='').as_env_var",
        "Secret('a', mount='').as_env_var",
        "Secret('a.b', as_env_var='A_B').key",
        "Secret('a.b', mount='/etc/flyte/secrets').as_env_var",
        "Secret('a', mount=Path('/etc/flyte/secrets')).mount",
        "Secret('a', mount='/etc/flyte/secrets', as_env_var='A').as_env_var",
        "Secret('a') == Secret('a')",
        "Secret('a') == Secret('b')",
        "hash(Secret('a')) == hash(Secret('a'))",
        "len({Secret('a'), Secret('a'), Secret('b')})",
    ),
    *refused(
        "ValueError",
        "Secret('')",
        "Secret('a.b')",
        "Secret('a b')",
        "Secret('1a')",
        "Secret('a', as_env_var='lower')",
        "Secret('a', as_env_var='1A')",
        "Secret('a', as_env_var='A-B')",
    ),
    *refused("ValueError: /etc/flyte/secrets", "Secret('a', mount='/tmp')", "Secret('a', mount='/etc/flyte/secrets/')"),
    *refused("TypeError", "Secret()", "Secret('a', bogus=1)"),
    *differs("garbage", "Secret(1)", flyte="AttributeError", ours="TypeError: key"),
    *differs("garbage", "Secret('a', 1).as_env_var", flyte="ValueError", ours="TypeError: group"),
    *differs("garbage", "Secret('a', as_env_var='A\\n').as_env_var", flyte="'A\\n'", ours="ValueError: as_env_var"),
    *differs("garbage", "Secret('a/b', mount='/etc/flyte/secrets').key", flyte="'a/b'", ours="ValueError: key"),
    *differs("garbage", "Secret('a', '..', '/etc/flyte/secrets').group", flyte="'..'", ours="ValueError: group"),
    *differs(
        "canonical",
        "Secret('a', mount='/etc/flyte/secrets').mount",
        flyte="'/etc/flyte/secrets'",
        ours="Path('/etc/flyte/secrets')",
    ),
]

RETRIES: list[Snippet] = [
    *accepted(
        "RetryStrategy(3)",
        "RetryStrategy(count=0)",
        "RetryStrategy(1, Backoff(timedelta(seconds=1)))",
        "Backoff(timedelta(seconds=1))",
        "Backoff(timedelta(0)).base",
        "Backoff(timedelta(1), 1).factor",
        "Backoff(timedelta(1), 2, timedelta(3))",
        "Backoff(timedelta(1), 1.0, timedelta(0)).cap",
        "[Backoff(timedelta(seconds=1), 2, timedelta(seconds=5)).compute_delay(n) for n in range(5)]",
        "Backoff(timedelta(seconds=1)).compute_delay(50)",
        "Backoff(timedelta(seconds=10), 2.0, timedelta(minutes=5)).compute_delay(5000)",
        "Backoff(timedelta(1)) == Backoff(timedelta(1))",
        "hash(Backoff(timedelta(1))) == hash(Backoff(timedelta(1)))",
        "task(retries=3).retries",
        "task(retries=0).retries",
        "task(retries=RetryStrategy(2)).retries",
        "task().retries",
    ),
    *refused(
        "ValueError: retr", "RetryStrategy(-1)", "RetryStrategy(1.5)", "RetryStrategy('3')", "RetryStrategy(None)"
    ),
    *refused("ValueError: retries must be an int", "task(retries='3')", "task(retries=1.5)", "task(retries=[1])"),
    *refused("ValueError", "task(retries=-1)", "task().override(retries=-1)", "task().override(retries='3')"),
    *refused(
        "ValueError: Backoff",
        "Backoff(timedelta(-1))",
        "Backoff(timedelta(1), 2)",
        "Backoff(timedelta(1), 0.5)",
        "Backoff(timedelta(1), math.inf, timedelta(2))",
        "Backoff(timedelta(1), math.nan, timedelta(2))",
        "Backoff(timedelta(1), 1, timedelta(-1))",
    ),
    *refused("ValueError: factor", "Backoff(timedelta(1), 'x')", "Backoff(timedelta(1), None)"),
    *refused("ValueError", "Backoff(timedelta(1)).compute_delay(-1)"),
    *refused("TypeError", "Backoff(1)", "Backoff('1s')", "Backoff()", "RetryStrategy()", "RetryStrategy(1, bogus=1)"),
    *refused("TypeError", "Backoff(timedelta(1), 1, 5)"),
    *differs("garbage", "RetryStrategy(1, 5).backoff", flyte="5", ours="TypeError: backoff"),
    *differs("bool-number", "Backoff(timedelta(1), True).factor", flyte="True", ours="ValueError: factor"),
    *differs("canonical", "RetryStrategy(True).count", flyte="True", ours="1"),
    *differs("canonical", "task(retries=True).retries.count", flyte="True", ours="1"),
    *differs("frozen", "r = RetryStrategy(1); r.count = 2; r.count", flyte="2", ours="AttributeError"),
    *differs("all-at-once", "Backoff(timedelta(-1), 0.5)", flyte="ValueError: base", ours="ValueError: 2 problems"),
]

TIMEOUT: list[Snippet] = [
    *accepted(
        "Timeout()",
        "Timeout(60)",
        "Timeout(timedelta(minutes=1)).max_runtime",
        "Timeout(max_runtime=1, max_queued_time=2, deadline=3)",
        "Timeout(max_runtime=0).max_runtime",
        "Timeout(deadline=timedelta(hours=1)).deadline",
        "Timeout(60) == Timeout(60)",
        "task(timeout=Timeout(60)).timeout",
        "task(timeout=Timeout(deadline=9)).override(timeout=Timeout(1)).timeout",
    ),
    *refused("TypeError", "Timeout(1, 2, 3, 4)", "Timeout(bogus=1)"),
    *differs("garbage", "Timeout('60').max_runtime", flyte="'60'", ours="ValueError: max_runtime"),
    *differs("garbage", "Timeout(-1).max_runtime", flyte="-1", ours="ValueError: max_runtime"),
    *differs("garbage", "Timeout(deadline=timedelta(-1))", flyte="accepted", ours="ValueError: deadline"),
    *differs("garbage", "Timeout(True).max_runtime", flyte="True", ours="ValueError: max_runtime"),
    *differs("garbage", "task(timeout='60').timeout", flyte="'60'", ours="ValueError: the nearest is 60"),
    *differs("garbage", "task(timeout=-5).timeout", flyte="-5", ours="ValueError: timeout"),
    *differs(
        "canonical",
        "task(timeout=60).timeout",
        flyte="60",
        ours="Timeout(max_runtime=60, max_queued_time=None, deadline=None)",
    ),
    *differs("canonical", "task(timeout=timedelta(1)).timeout == Timeout(timedelta(1))", flyte="False", ours="True"),
    *differs(
        "canonical", "task().timeout", flyte="0", ours="Timeout(max_runtime=None, max_queued_time=None, deadline=None)"
    ),
    *differs("frozen", "t = Timeout(1); t.deadline = 2; t.deadline", flyte="2", ours="AttributeError"),
    *differs("all-at-once", "Timeout(-1, -2)", flyte="accepted", ours="ValueError: 2 problems"),
]

REUSE: list[Snippet] = [
    *accepted(
        "ReusePolicy()",
        "ReusePolicy(3).replicas",
        "ReusePolicy((1, 2)).replicas",
        "ReusePolicy(0).min_replicas",
        "ReusePolicy((1, 5)).max_replicas",
        "ReusePolicy(replicas=(0, 0)).replicas",
        "ReusePolicy(idle_ttl=60).idle_ttl",
        "ReusePolicy(idle_ttl=timedelta(minutes=5)).idle_ttl",
        "ReusePolicy(scaledown_ttl=45).scaledown_ttl",
        "ReusePolicy().get_scaledown_ttl()",
        "ReusePolicy(concurrency=10).concurrency",
        "ReusePolicy(scope='run').scope",
        "ReusePolicy(1)",
        "ReusePolicy((1, 1), concurrency=2)",
        "ReusePolicy() == ReusePolicy()",
    ),
    *accepted("ReusePolicy(1).replicas", "ReusePolicy((0, 1)).max_replicas"),
    *refused(
        "ValueError: replicas",
        "ReusePolicy(-1)",
        "ReusePolicy((2, 1))",
        "ReusePolicy((-1, 1))",
        "ReusePolicy([1, 2])",
        "ReusePolicy((1, 2, 3))",
        "ReusePolicy(None)",
        "ReusePolicy('2')",
        "ReusePolicy(1.0)",
        "ReusePolicy((1, '2'))",
    ),
    *refused(
        "ValueError: concurrency",
        "ReusePolicy(concurrency=0)",
        "ReusePolicy(concurrency=1.5)",
        "ReusePolicy(concurrency='1')",
    ),
    *refused(
        "ValueError: idle_ttl",
        "ReusePolicy(idle_ttl=29)",
        "ReusePolicy(idle_ttl=30.0)",
        "ReusePolicy(idle_ttl='30')",
        "ReusePolicy(idle_ttl=None)",
    ),
    *refused(
        "ValueError: scaledown_ttl", "ReusePolicy(scaledown_ttl=29)", "ReusePolicy(scaledown_ttl=timedelta(seconds=1))"
    ),
    *refused("ValueError: scope", "ReusePolicy(scope='world')", "ReusePolicy(scope=None)"),
    *refused(
        "TypeError", "ReusePolicy(bogus=1)", "env(reusable=3)", "env(reusable='off')", "env(reusable={'replicas': 1})"
    ),
    *differs("bool-number", "ReusePolicy(True).replicas", flyte="(True, True)", ours="ValueError: replicas"),
    *differs("bool-number", "ReusePolicy(concurrency=True).concurrency", flyte="True", ours="ValueError: concurrency"),
    *differs("frozen", "p = ReusePolicy(); p.concurrency = 2; p.concurrency", flyte="2", ours="AttributeError"),
    *differs("all-at-once", "ReusePolicy(-1, 1, 0, 1, 'x')", flyte="ValueError: scope", ours="ValueError: 5 problems"),
]

OTHERS: list[Snippet] = [
    *accepted(
        "Documentation('text')",
        "Documentation(description='text').description",
        "Documentation('a') == Documentation('a')",
        "task(docs=Documentation('text')).docs",
        "task().docs",
        "task(links=MyLink()).links",
        "task(links=[MyLink(), MyLink()]).links",
        "task(links=(MyLink(),)).override(links=(MyLink(), MyLink())).links",
        "task().links",
    ),
    *refused("TypeError", "Documentation()", "Documentation('a', 'b')"),
    *differs("garbage", "Documentation(3).description", flyte="3", ours="TypeError: description"),
    *differs("garbage", "task(links=3).links", flyte="(3,)", ours="TypeError: links"),
    *differs("garbage", "task(links=['x']).links", flyte="('x',)", ours="TypeError: links"),
    *differs("garbage", "task(docs=3).docs", flyte="3", ours="TypeError: docs"),
    *differs("canonical", "task(docs='text').docs", flyte="'text'", ours="Documentation(description='text')"),
    *differs(
        "frozen",
        "e = env(env_vars={'A': '1'}); e.env_vars['B'] = '2'; e.env_vars",
        flyte="{'A': '1', 'B': '2'}",
        ours="TypeError: give a new one",
    ),
    *differs(
        "frozen", "d = Documentation('a'); d.description = 'b'; d.description", flyte="'b'", ours="AttributeError"
    ),
]

SNIPPETS = [*CACHE, *SECRET, *RETRIES, *TIMEOUT, *REUSE, *OTHERS]
