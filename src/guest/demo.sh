#!/bin/sh
# The guest's part of `exclave demo`: PART ATTACKS CALLS. Reads /share/message; leaves signatures and public keys there; says each step's begin,
# last complaint, and end. The attacks of a kernel that an attacker owns come from a module, as root; its program prints a JSON object for each.

attacks=$2
calls=$3

step() {
    name=$1
    shift
    echo "begin $name"
    "$@" 2> /tmp/complaints
    status=$?
    echo "complaint $(tail -n 1 /tmp/complaints)"
    echo "end $name $status"
    return $status
}

attack() {
    insmod /lib/modules/exclave_attack.ko || return
    exclave-attack suite --only "$attacks" --without "$1"
}

case $1 in
protected)
    step sign exclave-sign sign /share/message --signature /share/signature.bin --public /share/public.pem || exit
    step attack attack ''
    step calls exclave-attack suite --only "$calls"
    step again exclave-sign sign /share/message --signature /share/again.bin --public /share/again.pem
    exit 0
    ;;
open)
    step attack attack SecureFrames,SecureDevices,LpiTables
    exit 0
    ;;
esac
