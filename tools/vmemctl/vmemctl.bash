# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of vmemctl(1) for bash.

# Names of domains that have a virtio-mem device, from where the command line
# says; nothing when nobody answers.
_vmemctl_domains() {
	local i where=()
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-c | --connect | --qmp)
			where+=("${COMP_WORDS[i]}")
			# --connect=URI comes as three words.
			[ "${COMP_WORDS[i + 1]}" = '=' ] && ((i++))
			# A URI's colons are words of their own, too.
			local value=${COMP_WORDS[++i]}
			while [ "${COMP_WORDS[i + 1]-}" = ':' ] ||
				[ "${COMP_WORDS[i]}" = ':' ]; do
				value+=${COMP_WORDS[++i]}
			done
			where+=("$value")
			;;
		esac
	done
	timeout 2 vmemctl "${where[@]}" list 2>/dev/null </dev/null |
		awk 'NR > 1 { print $1 }' | sort -u
}

_vmemctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local options='--connect --qmp --agent --json --help --version'
	local i command=

	if [ "$cur" = '=' ]; then
		cur=
	elif [ "$prev" = '=' ]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	COMPREPLY=()
	case $prev in
	--round)
		mapfile -t COMPREPLY < <(compgen -W 'up down fail' -- "$cur")
		return
		;;
	--qmp | --agent | --prometheus)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	-c | --connect)
		mapfile -t COMPREPLY < <(compgen -W \
			'qemu:///system qemu:///session qemu+ssh://' -- "$cur")
		return
		;;
	--timeout)
		mapfile -t COMPREPLY < <(compgen -W '30s 5m 1h never' -- "$cur")
		return
		;;
	esac
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		set | list | top)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	case $command in
	set) options+=' --device --round --timeout --safe --revert' ;;
	list) options+=' --guest --prometheus' ;;
	top) options+=' --delay --count' ;;
	esac
	case $command:$cur in
	*:-*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur") ;;
	:*) mapfile -t COMPREPLY < <(compgen -W 'set list top' -- "$cur") ;;
	set:* | list:*)
		[ "$prev" = "$command" ] || return
		mapfile -t COMPREPLY < <(compgen -W "$(_vmemctl_domains)" \
			-- "$cur")
		;;
	esac
}

complete -F _vmemctl vmemctl
