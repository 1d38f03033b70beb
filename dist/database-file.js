import{__toESM as e}from"./rolldown-runtime.js";import{digestOfBytes as t,err as n,ok as r,readRegularFile as i,stampOf as a,stateUnreadable as o,tryIo as s,writeFileDurably as c}from"./cli-action-post-main.js";import{defined as l}from"./cli-action-post-toolkit-thread-main.js";const {createRequire:u}=process.getBuiltinModule("node:module");const {existsSync:d}=process.getBuiltinModule("node:fs");const {readFile:f,rename:p}=process.getBuiltinModule("node:fs/promises");const m=/^wave (sha256:[0-9a-f]{64})\n$/;function sealDatabase(e){return Buffer.concat([e,Buffer.from(`wave ${t(e)}\n`)])}function openSeal(e){let n=e.length-77,r=n<0?void 0:m.exec(Buffer.from(e.subarray(n)).toString(`latin1`))?.[1];if(r===void 0)return{content:e,seal:`missing`};let i=e.subarray(0,n);return{content:i,seal:t(i)===r?`intact`:`broken`}}let h;function loadSql(){return h??=start(),h}async function start(){let t=new URL(`./sql-wasm.wasm`,import.meta.url),n=await f(d(t)?t:u(import.meta.url).resolve(`sql.js/dist/sql-wasm.wasm`)),r=n.buffer.slice(n.byteOffset,n.byteOffset+n.byteLength),{default:i}=await import(`./sql-wasm.js`).then(t=>e(t.default,1));return i({wasmBinary:r})}function rowsOf(e,t,n=[]){let r=e.prepare(t);try{let e=[];r.bind(n);let t=r.getColumnNames();for(;r.step();){let n={},i=r.get();for(let[e,r]of t.entries())n[r]=i[e]??null;e.push(n)}return e}finally{r.free()}}function textOf(e,t){return String(e[t]??``)}function numberOf(e,t){return Number(e[t]??0)}function optional(e,t,n){if(t==null)return{};let r={};return r[e]=n(t),r}const fromJson=e=>JSON.parse(String(e)),digest=e=>String(e);function loadFold(e,t){let[n]=rowsOf(e,`SELECT * FROM runs WHERE run = ?`,[t]);if(n!==void 0)return{id:t,pipeline:textOf(n,`pipeline`),...optional(`version`,n.version,String),...optional(`outcome`,n.outcome,e=>String(e)),startedAt:textOf(n,`started_at`),...optional(`finishedAt`,n.finished_at,String),manifest:digest(n.manifest??``),options:fromJson(n.options??``),base:fromJson(n.base??``),...optional(`treeAfter`,n.tree_after,digest),...optional(`failure`,n.failure,fromJson),...changesOf(n),applied:n.applied===1,...optional(`inProject`,n.in_project,fromJson),...optional(`openRollback`,n.open_rollback,e=>e===``?{}:{to:String(e)}),...loadAlerts(e,t),writers:loadWriters(e,t),steps:loadSteps(e,t),samples:rowsOf(e,`SELECT * FROM breaker_samples WHERE run = ? ORDER BY position`,[t]).map(e=>({...breakerPoint(e),failed:e.failed===1})),resets:rowsOf(e,`SELECT * FROM breaker_resets WHERE run = ? ORDER BY position`,[t]).map(breakerPoint),revoked:rowsOf(e,`SELECT * FROM revoked_work WHERE run = ? ORDER BY position`,[t]).map(e=>({step:textOf(e,`step`),run:textOf(e,`of_run`),attempt:numberOf(e,`attempt`)}))}}function loadAlerts(e,t){let n=rowsOf(e,`SELECT * FROM alerts WHERE run = ? ORDER BY position`,[t]).map(e=>({alert:textOf(e,`alert`),reason:textOf(e,`reason`),subject:textOf(e,`subject`),outcome:textOf(e,`outcome`),at:textOf(e,`at`),...optional(`because`,e.because,String)}));return n.length===0?{}:{alerts:n}}function loadWriters(e,t){return rowsOf(e,`SELECT * FROM writers WHERE run = ? AND position IS NOT NULL ORDER BY position`,[t]).map(e=>({writer:textOf(e,`writer`),pid:numberOf(e,`pid`),processStart:textOf(e,`process_start`),host:textOf(e,`host`),closed:e.closed===1,spentMs:numberOf(e,`spent_ms`)}))}function watermarksOf(e){let t=[...grouped(rowsOf(e,`SELECT run, writer, size, bytes, seq, head, closed FROM writers`),e=>textOf(e,`run`))].map(([e,t])=>[e,t.map(watermarkAt)]);return new Map(t)}function watermarkAt(e){return{writer:textOf(e,`writer`),size:numberOf(e,`size`),bytes:numberOf(e,`bytes`),seq:numberOf(e,`seq`),head:textOf(e,`head`),closed:e.closed===1}}function archivedRuns(e){return new Map(rowsOf(e,`SELECT run, archived FROM runs`).map(e=>[textOf(e,`run`),e.archived!==0]))}function fingerprintOf(e){return{work:digest(e.work??``),gate:digest(e.gate??``),parts:fromJson(e.parts??`{}`)}}function changesOf(e){return optional(`changes`,e.changes,fromJson)}function artifactOf(e){return{name:textOf(e,`name`),digest:digest(e.digest??``),size:numberOf(e,`size`),mediaType:textOf(e,`media_type`),source:textOf(e,`source`)}}function breakerPoint(e){return{breaker:textOf(e,`breaker`),at:textOf(e,`at`),clock:numberOf(e,`clock`)}}function loadSteps(e,t){let n=grouped(rowsOf(e,`SELECT * FROM artifacts WHERE run = ? ORDER BY step, attempt, position`,[t]),e=>`${e.step}.${e.attempt}`),r=loadContracts(e,t),i=grouped(rowsOf(e,`SELECT * FROM attempts WHERE run = ? ORDER BY step, position`,[t]),e=>String(e.step));return rowsOf(e,`SELECT * FROM steps WHERE run = ? ORDER BY position`,[t]).map(e=>{let t=textOf(e,`position`);return stepOf(e,(i.get(t)??[]).map(e=>{let i=`${t}.${e.position}`;return attemptOf(e,(n.get(i)??[]).map(artifactOf),r.get(i)??[])}),(n.get(`${t}.-1`)??[]).map(artifactOf))})}function stepOf(e,t,n){let r=e.winner===null?void 0:t[numberOf(e,`winner`)],i=r?.fingerprint??(e.work===null?void 0:fingerprintOf(e));return{id:textOf(e,`step`),persona:textOf(e,`persona`),dependencies:fromJson(e.dependencies??`[]`),optional:e.optional===1,status:textOf(e,`status`),...optional(`writer`,e.writer,String),...optional(`winner`,e.winner,Number),...e.reused_run===null?{}:{reusedFrom:{run:textOf(e,`reused_run`),attempt:numberOf(e,`reused_attempt`)}},...l({fingerprint:i}),artifacts:r?.artifacts??n,...r===void 0?changesOf(e):r.changes===void 0?{}:{changes:r.changes},...optional(`failure`,e.failure,fromJson),...optional(`because`,e.because,String),attempts:t}}function attemptOf(e,t,n){return{attempt:numberOf(e,`attempt`),writer:textOf(e,`writer`),status:textOf(e,`status`),adapter:textOf(e,`adapter`),...optional(`model`,e.model,String),startedAt:textOf(e,`started_at`),...optional(`finishedAt`,e.finished_at,String),...optional(`durationMs`,e.duration_ms,Number),...optional(`waitMs`,e.wait_ms,Number),...optional(`usage`,e.usage,fromJson),fingerprint:fingerprintOf(e),inputs:fromJson(e.inputs??`[]`),workspace:e.workspace===`isolated`?`isolated`:`shared`,artifacts:t,contracts:n,...changesOf(e),...optional(`failure`,e.failure,fromJson),...optional(`log`,e.log,digest),...e.undone===1?{rolledBack:!0}:{}}}function loadContracts(e,t){let n=grouped(rowsOf(e,`SELECT * FROM violations WHERE run = ? ORDER BY step, attempt, contract, position`,[t]),e=>`${e.step}.${e.attempt}.${e.contract}`),r=grouped(rowsOf(e,`SELECT * FROM contract_results WHERE run = ? ORDER BY step, attempt, position`,[t]),e=>`${e.step}.${e.attempt}`);return new Map([...r].map(([e,t])=>[e,t.map(t=>contractOf(t,(n.get(`${e}.${t.position}`)??[]).map(violationOf)))]))}function contractOf(e,t){return{name:textOf(e,`name`),type:textOf(e,`type`),verdict:textOf(e,`verdict`),violations:t,...optional(`tail`,e.tail,String),durationMs:numberOf(e,`duration_ms`),onFailure:textOf(e,`on_failure`)}}function violationOf(e){return{message:textOf(e,`message`),...optional(`pointer`,e.pointer,String),...e.file===null?{}:{location:{file:textOf(e,`file`),line:numberOf(e,`line`),column:numberOf(e,`column`)}},...optional(`rule`,e.rule,String)}}function grouped(e,t){let n=new Map;for(let r of e){let e=n.get(t(r));e===void 0?n.set(t(r),[r]):e.push(r)}return n}const g=[`
CREATE TABLE runs (
  run TEXT PRIMARY KEY, pipeline TEXT NOT NULL, version TEXT, outcome TEXT, started_at TEXT NOT NULL, finished_at TEXT,
  manifest TEXT NOT NULL, options TEXT NOT NULL, base TEXT NOT NULL, tree_before TEXT NOT NULL, tree_after TEXT, failure TEXT,
  archived INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX runs_by_pipeline ON runs (pipeline, started_at);

CREATE TABLE writers (
  run TEXT NOT NULL, writer TEXT NOT NULL, position INTEGER, pid INTEGER, process_start TEXT, host TEXT,
  closed INTEGER NOT NULL, spent_ms REAL, size INTEGER NOT NULL, bytes INTEGER NOT NULL, seq INTEGER NOT NULL, head TEXT NOT NULL,
  PRIMARY KEY (run, writer)
) WITHOUT ROWID;

CREATE TABLE steps (
  run TEXT NOT NULL, position INTEGER NOT NULL, step TEXT NOT NULL, persona TEXT NOT NULL, dependencies TEXT NOT NULL, optional INTEGER NOT NULL,
  status TEXT NOT NULL, writer TEXT, winner INTEGER, reused_run TEXT, reused_attempt INTEGER, work TEXT, gate TEXT, parts TEXT,
  failure TEXT, because TEXT,
  PRIMARY KEY (run, position)
);

CREATE TABLE attempts (
  run TEXT NOT NULL, step INTEGER NOT NULL, position INTEGER NOT NULL, attempt INTEGER NOT NULL, writer TEXT NOT NULL, status TEXT NOT NULL,
  adapter TEXT NOT NULL, model TEXT, started_at TEXT NOT NULL, finished_at TEXT, duration_ms REAL,
  work TEXT NOT NULL, gate TEXT NOT NULL, parts TEXT NOT NULL, inputs TEXT NOT NULL, failure TEXT, log TEXT,
  PRIMARY KEY (run, step, position)
);

-- attempt: the position of an attempt, or -1 for what a reused step took over.
CREATE TABLE artifacts (
  run TEXT NOT NULL, step INTEGER NOT NULL, attempt INTEGER NOT NULL, position INTEGER NOT NULL,
  name TEXT NOT NULL, digest TEXT NOT NULL, size INTEGER NOT NULL, media_type TEXT NOT NULL, source TEXT NOT NULL,
  PRIMARY KEY (run, step, attempt, position)
);

CREATE TABLE contract_results (
  run TEXT NOT NULL, step INTEGER NOT NULL, attempt INTEGER NOT NULL, position INTEGER NOT NULL,
  name TEXT NOT NULL, type TEXT NOT NULL, verdict TEXT NOT NULL, tail TEXT, duration_ms REAL NOT NULL, on_failure TEXT NOT NULL,
  PRIMARY KEY (run, step, attempt, position)
);

CREATE TABLE violations (
  run TEXT NOT NULL, step INTEGER NOT NULL, attempt INTEGER NOT NULL, contract INTEGER NOT NULL, position INTEGER NOT NULL,
  message TEXT NOT NULL, pointer TEXT, file TEXT, line INTEGER, "column" INTEGER, rule TEXT,
  PRIMARY KEY (run, step, attempt, contract, position)
);

CREATE TABLE breaker_samples (
  breaker TEXT NOT NULL, at TEXT NOT NULL, run TEXT NOT NULL, clock INTEGER NOT NULL, position INTEGER NOT NULL, failed INTEGER NOT NULL,
  PRIMARY KEY (breaker, at, run, clock, position)
) WITHOUT ROWID;

CREATE TABLE breaker_resets (
  breaker TEXT NOT NULL, at TEXT NOT NULL, run TEXT NOT NULL, clock INTEGER NOT NULL, position INTEGER NOT NULL,
  PRIMARY KEY (breaker, at, run, clock, position)
) WITHOUT ROWID;
CREATE INDEX breaker_samples_by_run ON breaker_samples (run);
CREATE INDEX breaker_resets_by_run ON breaker_resets (run);
`,`
ALTER TABLE runs ADD COLUMN changes TEXT;
ALTER TABLE runs ADD COLUMN applied INTEGER NOT NULL DEFAULT 0;
ALTER TABLE steps ADD COLUMN changes TEXT;
ALTER TABLE attempts ADD COLUMN workspace TEXT NOT NULL DEFAULT 'shared';
ALTER TABLE attempts ADD COLUMN changes TEXT;
`,`
ALTER TABLE runs ADD COLUMN in_project TEXT;
UPDATE runs SET in_project = changes WHERE applied = 1;
ALTER TABLE attempts ADD COLUMN undone INTEGER NOT NULL DEFAULT 0;

-- Work of other runs (of_run) that a run had reused, and that was rolled back there: nobody may reuse it any more.
CREATE TABLE revoked_work (
  run TEXT NOT NULL, position INTEGER NOT NULL, step TEXT NOT NULL, of_run TEXT NOT NULL, attempt INTEGER NOT NULL,
  PRIMARY KEY (run, position)
) WITHOUT ROWID;
CREATE INDEX revoked_work_by_source ON revoked_work (of_run, step, attempt);
`,`
CREATE TABLE alerts (
  run TEXT NOT NULL, position INTEGER NOT NULL, alert TEXT NOT NULL, reason TEXT NOT NULL, subject TEXT NOT NULL, outcome TEXT NOT NULL,
  at TEXT NOT NULL, because TEXT,
  PRIMARY KEY (run, position)
) WITHOUT ROWID;
`,`
ALTER TABLE attempts ADD COLUMN wait_ms REAL;
-- No journal has this size: what is there is read again, for what the column is to hold.
UPDATE writers SET size = -1;
`,`ALTER TABLE attempts ADD COLUMN usage TEXT;`,`
-- The steps of a run that was rolled back as a whole are undone: journals of such runs are read again.
UPDATE writers SET size = -1 WHERE run IN (SELECT run FROM runs WHERE changes IS NOT NULL AND in_project IS NULL);
`,`ALTER TABLE runs ADD COLUMN open_rollback TEXT;`],_=[`runs`,`writers`,`steps`,`attempts`,`artifacts`,`contract_results`,`violations`,`breaker_samples`,`breaker_resets`,`revoked_work`,`alerts`];function salvageRows(e,t,n=new Set){for(let r of readable(()=>rowsOf(e,`SELECT run FROM runs`).map(e=>textOf(e,`run`)))??[]){if(n.has(r)||readable(()=>loadFold(e,r))===void 0)continue;t.run(`BEGIN`);let i=readable(()=>{for(let n of _)copyRows(e,t,n,r);return!0});i===!0&&t.run(`UPDATE writers SET size = -1, bytes = 0, seq = 0 WHERE run = ?`,[r]),t.run(i===!0?`COMMIT`:`ROLLBACK`)}}function copyRows(e,t,n,r){let i=rowsOf(e,`SELECT * FROM ${n} WHERE run = ?`,[r]).map(e=>Object.values(e)),[a]=i;if(a===void 0)return;let o=t.prepare(`INSERT INTO ${n} VALUES (${a.map(()=>`?`).join(`, `)})`);try{for(let e of i)o.run(e)}finally{o.free()}}function readable(e){try{return e()}catch(e){if(e instanceof Error)return;throw e}}async function openDatabase(e){let t=await loadSql(),c=await a(e),l=await s(()=>i(e));if(!l.ok&&l.error.code!==`ENOENT`)return n(o(e,l.error));if(!l.ok||c===void 0)return r({db:emptyDatabase(t),migrated:!1,damaged:!1});if(l.value===void 0)return r({db:emptyDatabase(t),stamp:c,migrated:!1,damaged:!0});let{content:u,seal:d}=openSeal(l.value),f=new t.Database(u),p=examine(f,d),m=p.kind===`usable`?migrate(f,p.version):`failed`;if(m!==`failed`)return r({db:f,stamp:c,migrated:m===`done`,damaged:!1});let h=p.kind===`refused`?n(refusal(e,p.detail)):r(salvage(t,f));return f.close(),h.ok?r({db:h.value,stamp:c,migrated:!1,damaged:!0}):h}function salvage(e,t){let n=emptyDatabase(e);try{if(pragma(t,`quick_check`)!==`ok`)return n;migrate(t,Number(pragma(t,`user_version`)))}catch(e){if(e instanceof Error)return n;throw e}return salvageRows(t,n),n}async function saveDatabase(e,t){t.damaged&&await s(()=>p(e,`${e}.damaged`));let n=await c(e,sealDatabase(t.db.export()),384);return n.ok?r(await a(e)):n}function examine(e,t){if(t===`broken`)return{kind:`damaged`,detail:`its bytes are not those that were sealed`};try{let n=pragma(e,`application_id`),r=pragma(e,`user_version`),i=Number(e.exec(`SELECT count(*) FROM sqlite_schema`)[0]?.values[0]?.[0]??0);if(n!==1463899717&&(i>0||n!==0))return{kind:`refused`,detail:`it is not a database of wave`};if(typeof r!=`number`||r>g.length)return{kind:`refused`,detail:`its tables are of version ${r}, and this version of wave knows versions up to ${g.length}: a newer wave wrote it`};let a=t===`intact`?`ok`:pragma(e,`quick_check`);return a===`ok`?{kind:`usable`,version:n===1463899717?r:0}:{kind:`damaged`,detail:String(a)}}catch(e){if(e instanceof Error)return{kind:`damaged`,detail:e.message};throw e}}function emptyDatabase(e){let t=new e.Database;return migrate(t,0),t}function migrate(e,t){if(t===g.length)return`needless`;e.run(`BEGIN`);try{for(let n of g.slice(t))e.exec(n);return e.run(`PRAGMA application_id = 1463899717`),e.run(`PRAGMA user_version = ${g.length}`),e.run(`COMMIT`),`done`}catch(t){if(e.run(`ROLLBACK`),t instanceof Error)return`failed`;throw t}}function pragma(e,t){return e.exec(`PRAGMA ${t}`)[0]?.values[0]?.[0]}function refusal(e,t){return{reason:`state-unreadable`,path:e,detail:t}}export{archivedRuns,artifactOf,changesOf,emptyDatabase,examine,fingerprintOf,loadFold,loadSql,loadWriters,migrate,numberOf,openDatabase,openSeal,optional,rowsOf,_ as runTables,salvageRows,saveDatabase,textOf,watermarksOf};