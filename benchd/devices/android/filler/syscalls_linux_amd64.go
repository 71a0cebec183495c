package main

const sysSyncFS = 306
