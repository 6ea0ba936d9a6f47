# SPDX-License-Identifier: GPL-2.0-or-later
# bash completion for vmem(1)
# shellcheck shell=bash

_vmem()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local words="list map watch why check log --json --device --all --wide --interval
		--count --once --sysroot --help --usage --version"

	case $prev in
	-d | --device)
		# Those that have virtio-mem's number.
		words=$(grep -ls 0x0018 /sys/bus/virtio/devices/*/device | cut -d/ -f6)
		;;
	-i | --interval | -n | --count)
		return
		;;
	--sysroot)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -F _vmem vmem
