import {openSqlStore} from '../../src/store/sql/sql-store.ts'
import {mkdtempSync,statSync,readdirSync} from 'node:fs'
const dir=mkdtempSync('/tmp/st-')
let t=performance.now()
const s=await openSqlStore({path:dir+'/a/b/x.db'})
console.log('open',performance.now()-t, readdirSync(dir+'/a/b').map(f=>[f,(statSync(dir+'/a/b/'+f).mode&0o777).toString(8)]), (statSync(dir+'/a').mode&0o777).toString(8))
t=performance.now(); const s2=await openSqlStore({path:dir+'/a/b/x.db'}); console.log('open2',performance.now()-t)
console.log(s2.foreignWrites.seen(), await s.meta.setIfAbsent('a','1'), s.foreignWrites.seen(), s2.foreignWrites.seen(), s2.foreignWrites.seen())
for(let k=0;k<3;k++){t=performance.now(); for(let i=0;i<100000;i++) s2.foreignWrites.seen(); console.log('seen us',(performance.now()-t)*1000/100000)}
for(let k=0;k<3;k++){t=performance.now(); for(let i=0;i<10000;i++) await s2.accounts.byName('x'); console.log('byName us',(performance.now()-t)*1000/10000)}
t=performance.now(); await Promise.all(Array.from({length:5000},()=>s2.sessions.byTokenHash('x'))); console.log('5000 parallel ms',performance.now()-t)
t=performance.now(); for(let i=0;i<100;i++) await s2.meta.setIfAbsent('k'+i,'x'); console.log('write us',(performance.now()-t)*1000/100)
await s.close(); await s2.close()
