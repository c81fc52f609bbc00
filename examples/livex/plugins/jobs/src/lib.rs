//! Jobs: a live function, a live type, and the data that they carry.

use livex_types::{Queued, Task};
use serde::{Deserialize, Serialize};
use soft_mock::plugin::{live, plugin, HookResult, LiveData, NoSuchFunction, Plugin, Value};

#[derive(Default)]
struct Jobs;

/// The data of a mail. Add a field, and mails that were queued before get its zero value.
#[derive(Serialize, Deserialize)]
struct Mail {
    to: String,
}

/// Found by its prefix. Change what it says: jobs that are queued already run the new code.
pub fn live_mail(data: &LiveData) -> Result<String, String> {
    let mail: Mail = data.get().map_err(|error| error.to_string())?;
    Ok(format!("mail to {}", mail.to))
}

/// Found by its attribute; a new one is made for each job.
#[live(dyn Task)]
#[derive(Default)]
struct Backup {
    files: u32,
}

impl Task for Backup {
    fn handle(&mut self, data: &LiveData) -> Result<String, String> {
        self.files += data.get::<u32>().map_err(|error| error.to_string())?;
        Ok(format!("backup of {} files", self.files))
    }
}

#[plugin]
impl Plugin for Jobs {
    fn invoke_func(&self, name: &str, params: Value) -> HookResult<Value> {
        let (handler, data) = match name {
            "mail" => ("live_mail", LiveData::new(&Mail { to: params.get()? })?),
            "backup" => ("Backup", LiveData::new(&params.get::<u32>()?)?),
            other => return Err(NoSuchFunction(other.to_owned()).into()),
        };
        Ok(Value::of(&Queued {
            handler: handler.to_owned(),
            data,
        })?)
    }
}
