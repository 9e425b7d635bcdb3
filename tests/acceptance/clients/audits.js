// node audits.js URL: runs every audit of graphql-http against the endpoint, and writes each as a line of JSON.
import {serverAudits} from 'graphql-http';

const [url] = process.argv.slice(2);

for (const audit of serverAudits({url})) {
  const {status, reason = null} = await audit.fn();
  console.log(JSON.stringify({id: audit.id, name: audit.name, status, reason}));
}
