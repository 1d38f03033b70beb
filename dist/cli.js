#!/usr/bin/env node
import{buildProgram as e}from"./program.js";import{enter as t}from"./cli-action-post-main.js";t({main:t=>e(t).main(process.argv.slice(2)),onBug:e=>e.stderr.write(`error: this is a bug in wave, please report it
`),onTrouble:(e,t)=>e.stderr.write(`error: ${t}\n`)});export{};