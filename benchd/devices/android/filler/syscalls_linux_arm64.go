package main

const sysSyncFS = 267
