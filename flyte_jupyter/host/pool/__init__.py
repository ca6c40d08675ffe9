"""Pools of warm processes: `rules` says who takes what, `replica` is a process, `pool` and `pools` have them."""
