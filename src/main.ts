#!/usr/bin/env node
import { createProgram, runProgram } from './cli/program.ts'

// Whoever read what is printed has gone (`audit list | head`, a log collector): that ends nothing.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

process.exitCode = await runProgram(createProgram(), process.argv)
